//! One list of behaviours, run against every runtime.
//!
//! `cargo xtask test` builds what is needed and runs this; `cargo test -p levee-e2e -- NAME` runs the behaviours whose
//! name contains `NAME`, and `-- native` those on one runtime. Logs of every process are kept in `target/e2e/logs`.
#![forbid(unsafe_code)]

mod behaviours;
mod client;
mod cx;
mod proc_status;
mod raw;
mod runtimes;
mod scripted;
mod wait;
mod world;

use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::behaviours::Skipped;
use crate::cx::Cx;
use crate::world::World;

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::from_args();
    // Most tests wait for a lifetime to end or for another process, so there may be more of them than processors.
    arguments.test_threads = arguments.test_threads.or(Some(6));
    let world = Arc::new(World::new()?);
    let mut trials = Vec::new();
    for runtime in runtimes::ALL {
        for behaviour in behaviours::ALL.iter().filter(|behaviour| (behaviour.promised)(*runtime)) {
            let world = world.clone();
            let name = format!("{}::{}", runtime.name(), behaviour.name);
            trials.push(Trial::ignorable_test(name, move || {
                let cx = Cx::new(&world, *runtime, behaviour.name);
                let done = world.tokio.block_on((behaviour.run)(&cx));
                world.release(*runtime, behaviour.name);
                match done {
                    Ok(()) => Ok(Completion::Completed),
                    Err(error) => match error.downcast_ref::<Skipped>() {
                        Some(reason) => Ok(Completion::ignored_with(reason)),
                        None => Err(Failed::from(format!("{error:#}"))),
                    },
                }
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Stops the processes that the tests shared.
    drop(world);
    conclusion.exit()
}
