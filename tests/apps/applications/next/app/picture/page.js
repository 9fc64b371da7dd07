import Image from "next/image";

import picture from "./picture.png";

export default function Picture() {
  return <Image id="picture" src={picture} alt="A gradient" width={320} />;
}
