//! All runs of one application: in each place it starts anew, with an empty state and an empty cache, and every flow is run
//! twice.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use anyhow::{Context as _, Result};
use levee_harness::Nginx;

use crate::Arguments;
use crate::application::{Application, Prepared};
use crate::copy::replace_folder;
use crate::driver::{Driver, Flow};
use crate::outcome::Outcome;
use crate::place::{Front, Place};

/// The first fills the cache, the second may be answered from it.
pub(crate) const PASSES: usize = 2;

/// What was seen of one application.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// The flows that were run, in their order.
    pub(crate) flows: Vec<String>,
    /// All that the application has.
    pub(crate) all_flows: Vec<String>,
    pub(crate) places: Vec<(Place, Result<Seen, String>)>,
}

/// What was seen in one place.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// By flow: each pass.
    pub(crate) outcomes: BTreeMap<String, Vec<Outcome>>,
    /// By flow: what was answered from the cache in all passes.
    pub(crate) hits: BTreeMap<String, u64>,
}

/// Runs it in every place that is asked for. That it cannot be prepared, or one place cannot be had, is part of the result.
pub(crate) fn run(arguments: &Arguments, application: &Application) -> Rounds {
    println!("{}: {}", application.name, application.title());
    let work = arguments.out.join("work").join(&application.name);
    let mut rounds = Rounds::default();
    let prepared = match application.prepare(&work, &arguments.parts.node) {
        Ok(prepared) => prepared,
        Err(error) => {
            println!("  cannot be prepared: {error:#}");
            rounds.places.push((Place::Direct, Err(format!("cannot be prepared: {error:#}"))));
            return rounds;
        }
    };
    let mut places = vec![Place::Direct];
    places.extend(arguments.runtimes.iter().map(|runtime| Place::Edge(*runtime)));
    match Nginx::binary() {
        Ok(_) => places.push(Place::Nginx),
        Err(missing) => println!("  hits are not compared: {missing}"),
    }
    for place in places {
        if crate::stopped() {
            break;
        }
        let began = Instant::now();
        let seen = in_place(arguments, &prepared, place, &mut rounds);
        println!("  {:<8} {:.1} s", place.name(), began.elapsed().as_secs_f64());
        rounds.places.push((place, seen.map_err(|error| format!("{error:#}"))));
    }
    rounds
}

fn in_place(
    arguments: &Arguments,
    prepared: &Prepared<'_>,
    place: Place,
    rounds: &mut Rounds,
) -> Result<Seen> {
    let name = &prepared.application.name;
    let logs = arguments.out.join("logs");
    fs::create_dir_all(&logs).with_context(|| logs.display().to_string())?;
    let log = |of: &str| logs.join(format!("{name}-{}-{of}.log", place.name()));
    let folder = tempfile::Builder::new().prefix("levee-apps-").tempdir()?;
    let (state, kept, clients) =
        (folder.path().join("state"), folder.path().join("front"), folder.path().join("clients"));
    fs::create_dir_all(&kept)?;
    let application = prepared.start(&state, &log("application"))?;
    let origin = application.url().to_owned();
    let front = Front::start(place, &arguments.parts, &arguments.root, &origin, &kept, &log("front"))?;
    let script = arguments.root.join("tests/apps/driver/run.mjs");
    let mut driver = Driver::start(&arguments.parts.node, &script, &prepared.flows(), &log("clients"))?;
    let flows = driver.flows()?;
    let wanted = |flow: &&Flow| {
        let named = arguments.flow.as_ref().is_none_or(|wanted| flow.name.contains(wanted.as_str()));
        named && (arguments.slow || !flow.slow)
    };
    let names: Vec<String> = flows.iter().filter(wanted).map(|flow| flow.name.clone()).collect();
    rounds.flows.clone_from(&names);
    rounds.all_flows = flows.into_iter().map(|flow| flow.name).collect();
    let mut seen = Seen::default();
    for pass in 1..=PASSES {
        for flow in &names {
            replace_folder(&clients)?;
            let before = front.hits()?;
            // Of one length, so that what contains it has one too.
            let tag = format!("{:x<6}{pass}", place.name());
            let outcome = driver.run(flow, front.url(&origin), &origin, &tag, &clients)?;
            if let Some(why) = &outcome.failed {
                println!("  {:<8} {flow}, run {pass}: ended early: {}", place.name(), first_line(why));
            }
            *seen.hits.entry(flow.clone()).or_default() += front.hits()?.saturating_sub(before);
            seen.outcomes.entry(flow.clone()).or_default().push(outcome);
        }
    }
    drop(driver);
    front.stop();
    application.stop();
    Ok(seen)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
