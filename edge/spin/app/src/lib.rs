//! The component that is deployed: Levee before the origins that `levee.toml` names, and nothing else.
//!
//! A component of your own starts from the same lines; see the crate `levee-spin`.

use levee_spin::{App, Config};

struct Levee;

impl App for Levee {
    fn config() -> Config {
        levee_spin::config!("levee.toml")
    }
}

levee_spin::export!(Levee);
