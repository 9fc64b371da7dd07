import Link from "next/link";

export const metadata = { title: "Films" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <nav>
          <Link id="home" href="/">Home</Link> <Link id="first" href="/items/1">First</Link>{" "}
          <Link id="second" href="/items/2">Second</Link> <Link id="to-counter" href="/counter" prefetch={false}>Counter</Link>{" "}
          <Link id="to-mine" href="/mine" prefetch={false}>Mine</Link>
        </nav>
        <main>{children}</main>
      </body>
    </html>
  );
}
