// An incremental page with a short life: a visit after two seconds has it made anew behind the answer.
export const revalidate = 2;

export default function Clock() {
  return <p id="time">{String(Date.now())}</p>;
}
