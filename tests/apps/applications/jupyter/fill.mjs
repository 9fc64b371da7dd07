// A notebook with two cells.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const cell = (id, source) => ({ cell_type: "code", execution_count: null, id, metadata: {}, outputs: [], source });
const notebook = {
  cells: [cell("one", "6 * 7"), cell("two", "for n in range(3):\n    print('line', n)")],
  metadata: { kernelspec: { display_name: "Python 3 (ipykernel)", language: "python", name: "python3" } },
  nbformat: 4,
  nbformat_minor: 5,
};
const folder = join(process.argv[2], "notebooks");
mkdirSync(folder);
writeFileSync(join(folder, "sums.ipynb"), JSON.stringify(notebook));
