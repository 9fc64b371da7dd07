import { appendFileSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { revalidatePath } from "next/cache";

const FILE = join(process.env.STATE ?? "/tmp", "count");

export const dynamic = "force-dynamic";

async function add(form) {
  "use server";
  appendFileSync(FILE, "x".repeat(Number(form.get("number"))));
  revalidatePath("/counter");
}

export default function Counter() {
  const count = existsSync(FILE) ? statSync(FILE).size : 0;
  return (
    <form action={add}>
      <p id="count">{count}</p>
      <input name="number" defaultValue="2" />
      <button>Add</button>
    </form>
  );
}
