export { default } from "./levee/index.mjs";
