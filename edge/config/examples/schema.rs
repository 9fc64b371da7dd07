//! Writes the JSON Schema of `levee.toml` to standard output:
//! `cargo run -p levee-config --example schema > levee.schema.json`.

fn main() {
    print!("{}", levee_config::json_schema());
}
