//! The Worker that is deployed: Levee before the origins that `levee.toml` names, and nothing else.
//!
//! A Worker of your own starts from the same lines; see the crate `levee-worker`.

use levee_worker::{App, Config};

struct Levee;

impl App for Levee {
    fn config() -> Config {
        levee_worker::config!("levee.toml")
    }
}

levee_worker::export!(Levee);
