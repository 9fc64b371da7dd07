import { cookies } from "next/headers";
import { redirect } from "next/navigation";

async function signIn(form) {
  "use server";
  (await cookies()).set("name", String(form.get("name")), { httpOnly: true, sameSite: "lax" });
  redirect("/mine");
}

export default async function Mine() {
  const name = (await cookies()).get("name")?.value ?? "nobody";
  return (
    <form action={signIn}>
      <p id="who">{name}</p>
      <input name="name" />
      <button>Sign in</button>
    </form>
  );
}
