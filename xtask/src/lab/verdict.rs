//! Whether the objectives held.

use super::evidence::{Objective, Outcome};
use super::requests::{self, Request};
use super::scenario::Scenario;
use super::seen::Seen;
use super::traffic::{Journey, Traffic};

/// The verdict on a run.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) words: String,
    pub(super) objectives: Vec<Objective>,
    /// What a ramp found: the highest rate at which all objectives were held, and what broke above it.
    pub(super) knee: Option<(f64, Vec<String>)>,
}

/// What a journey promises, compared with its requests. Nothing where there are none.
fn journey<'a>(name: &str, wanted: &Journey, of: impl Iterator<Item = &'a Request>) -> Vec<Objective> {
    let all: Vec<&Request> = of.collect();
    if all.is_empty() {
        return Vec::new();
    }
    let right = all.iter().filter(|request| request.right).count() as f64 / all.len() as f64;
    let sorted = requests::latencies(all.into_iter());
    let mut objectives =
        vec![Objective::new(format!("{name}.availability"), right, ">=", wanted.availability, "share")];
    objectives.extend(wanted.latency.iter().map(|latency| {
        let reached = requests::percentile(&sorted, latency.percent);
        Objective::new(format!("{name}.p{}", latency.percent), reached, "<=", latency.milliseconds, "ms")
    }));
    objectives
}

pub(super) fn judge(seen: &Seen, traffic: &Traffic, tool: &str) -> Verdict {
    let mut objectives = Vec::new();
    let mut knee = None;
    if seen.scenario.is_judged_as_a_whole() {
        for (name, wanted) in &seen.objectives {
            let mut of = journey(name, wanted, seen.of_journey(name));
            of.retain(|objective| seen.scenario.is_judged_by_time() || objective.unit != "ms");
            objectives.extend(of);
        }
        objectives.push(Objective::new("arrivals.dropped", seen.dropped as f64, "==", 0.0, "requests"));
        let crossed = seen.crossed.len() as f64;
        objectives.push(Objective::new(format!("{tool}.thresholds_crossed"), crossed, "==", 0.0, ""));
    } else {
        knee = Some(find_knee(seen, traffic.scenarios.stress.window_seconds));
    }
    match seen.scenario {
        Scenario::Smoke => {
            let kinds =
                traffic.mix.keys().filter(|kind| seen.requests.iter().any(|request| request.kind == **kind));
            let wanted = traffic.mix.len() as f64;
            objectives.push(Objective::new("kinds.seen", kinds.count() as f64, "==", wanted, ""));
            let wrong = seen.requests.iter().filter(|request| !request.right).count() as f64;
            objectives.push(Objective::new("answers.wrong", wrong, "==", 0.0, "requests"));
        }
        Scenario::Stampede => stampede(seen, traffic, &mut objectives),
        Scenario::Soak => soak(seen, traffic, &mut objectives),
        Scenario::Load | Scenario::Spike | Scenario::Stress => {}
    }
    let (outcome, words) = conclude(seen, traffic, &objectives, knee.as_ref());
    Verdict { outcome, words, objectives, knee }
}

fn stampede(seen: &Seen, traffic: &Traffic, objectives: &mut Vec<Objective>) {
    let of = &traffic.scenarios.stampede;
    let clients = match seen.load {
        super::plan::Load::Burst { burst, .. } => burst,
        _ => of.clients,
    };
    let most =
        requests::under_way(&seen.requests, seen.zero).into_iter().map(|(_, now)| now).fold(0.0, f64::max);
    let wanted = f64::from(of.least_waiting.min(clients));
    objectives.push(Objective::new("clients.waiting_at_once", most, ">=", wanted, "clients"));
    if !seen.samples.is_empty() && seen.samples.contains_key("edge") {
        let asked = seen.asked.iter().filter(|asked| asked.kind == "data").count() as f64;
        let wanted = f64::from(of.origin_requests);
        objectives.push(Objective::new("origin.requests", asked, "==", wanted, "requests"));
    }
}

fn soak(seen: &Seen, traffic: &Traffic, objectives: &mut Vec<Objective>) {
    let of = &traffic.scenarios.soak;
    if seen.end < of.least_seconds_for_slope {
        return;
    }
    for name in seen.samples.keys().filter(|name| *name != "generator") {
        let slope = seen.memory_slope(name);
        let name = format!("memory.slope.{}", name.replace(' ', "_"));
        objectives.push(Objective::new(name, slope, "<=", of.memory_mebibytes_an_hour, "MiB an hour"));
    }
}

/// The rate of the last window before the first in which an objective was broken, and what was broken in that one.
fn find_knee(seen: &Seen, width: f64) -> (f64, Vec<String>) {
    let mut held: f64 = 0.0;
    let last = (seen.end / width) as u64;
    for (number, window) in requests::windows(&seen.requests, seen.zero, width) {
        // The last window is not a whole one.
        if number >= last {
            break;
        }
        let broken: Vec<String> = seen
            .objectives
            .iter()
            .flat_map(|(name, wanted)| {
                let of = window.iter().copied().filter(|request| wanted.kinds.contains(&request.kind));
                // The 99th of fewer than a hundred says nothing.
                let known: Vec<&Request> = of.collect();
                if known.len() < 100 { Vec::new() } else { journey(name, wanted, known.into_iter()) }
            })
            .filter(|objective| !objective.held)
            .map(|objective| objective.name)
            .collect();
        let rate = window.len() as f64 / width;
        let planned = seen.planned((number as f64 + 0.5) * width);
        if !broken.is_empty() || rate < planned * 0.95 {
            let short = (rate < planned * 0.95).then(|| String::from("arrivals.sent"));
            return (held, broken.into_iter().chain(short).collect());
        }
        held = held.max(rate);
    }
    (held, Vec::new())
}

fn conclude(
    seen: &Seen,
    traffic: &Traffic,
    objectives: &[Objective],
    knee: Option<&(f64, Vec<String>)>,
) -> (Outcome, String) {
    let most = seen.highest_rate();
    let allowed = seen.ceiling * traffic.generator.ceiling_share;
    if seen.requests.is_empty() {
        return (Outcome::Void, String::from("Nothing was sent."));
    }
    // Five percent for the unevenness of arrivals: what was planned was compared before the run.
    if seen.scenario != Scenario::Stampede && most > allowed * 1.05 {
        let words = format!(
            "The generator sent {most:.0} requests a second, and its ceiling is {:.0}: above {:.0} % of it the figures are its own.",
            seen.ceiling,
            traffic.generator.ceiling_share * 100.0
        );
        return (Outcome::Void, words);
    }
    if let Some((rate, broken)) = knee {
        let words = if *rate == 0.0 {
            format!(
                "An objective was broken in the first window already ({}): the ramp begins too high.",
                broken.join(", ")
            )
        } else if broken.is_empty() {
            format!(
                "No objective broke up to {rate:.0} requests a second, where the generator is at {:.0} % of its ceiling: the knee is above.",
                100.0 * rate / seen.ceiling
            )
        } else {
            format!("The knee is at {rate:.0} requests a second; above it {} broke.", broken.join(", "))
        };
        return (if *rate == 0.0 { Outcome::Broken } else { Outcome::Held }, words);
    }
    let broken: Vec<&str> = objectives
        .iter()
        .filter(|objective| !objective.held)
        .map(|objective| objective.name.as_str())
        .collect();
    if broken.is_empty() {
        (Outcome::Held, format!("{} requests, {} objectives.", seen.requests.len(), objectives.len()))
    } else {
        (Outcome::Broken, format!("Not held: {}.", broken.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::plan::Load;
    use crate::lab::traffic;

    fn seen(scenario: Scenario, load: Load, requests: Vec<Request>, ceiling: f64) -> (Seen, Traffic) {
        let (traffic, objectives) =
            traffic::read(&crate::project::root().expect("a checkout")).expect("files");
        let mut seen = Seen {
            scenario,
            load,
            objectives,
            requests,
            zero: 0,
            end: 0.0,
            dropped: 0,
            crossed: Vec::new(),
            samples: Default::default(),
            asked: Vec::new(),
            counts: Vec::new(),
            events: Vec::new(),
            ceiling,
        };
        seen.set_clock(0);
        (seen, traffic)
    }

    fn request(sent: f64, milliseconds: f64, right: bool) -> Request {
        Request {
            sent: sent as u64,
            kind: String::from("seats"),
            status: 200,
            milliseconds,
            right,
            source: String::from("memory"),
        }
    }

    fn at_rate(rate: f64, from: f64, to: f64, milliseconds: f64) -> Vec<Request> {
        (0..((to - from) * rate) as u32)
            .map(|at| request((from + f64::from(at) / rate) * 1000.0, milliseconds, true))
            .collect()
    }

    #[test]
    fn a_slow_seat_map_breaks_its_objective() {
        let load = Load::Arrivals { arrivals: vec![(100.0, 100.0, 10.0)] };
        let (quick, traffic) = seen(Scenario::Load, load.clone(), at_rate(100.0, 0.0, 10.0, 5.0), 1000.0);
        assert_eq!(judge(&quick, &traffic, "k6").outcome, Outcome::Held);
        let (slow, traffic) = seen(Scenario::Load, load, at_rate(100.0, 0.0, 10.0, 400.0), 1000.0);
        let verdict = judge(&slow, &traffic, "k6");
        assert_eq!(verdict.outcome, Outcome::Broken);
        assert!(verdict.words.contains("seat-map.p95"), "{}", verdict.words);
    }

    #[test]
    fn near_the_generators_ceiling_nothing_is_proven() {
        let load = Load::Arrivals { arrivals: vec![(100.0, 100.0, 10.0)] };
        let (seen, traffic) = seen(Scenario::Load, load, at_rate(100.0, 0.0, 10.0, 5.0), 120.0);
        let verdict = judge(&seen, &traffic, "k6");
        assert_eq!(verdict.outcome, Outcome::Void);
        assert!(verdict.words.contains("70 %"), "{}", verdict.words);
    }

    #[test]
    fn the_knee_is_the_last_rate_that_held() {
        let load = Load::Arrivals { arrivals: vec![(100.0, 100.0, 10.0), (200.0, 200.0, 10.0)] };
        let mut requests = at_rate(100.0, 0.0, 10.0, 5.0);
        requests.extend(at_rate(200.0, 10.0, 20.0, 900.0));
        let (seen, traffic) = seen(Scenario::Stress, load, requests, 10_000.0);
        let (rate, broken) = judge(&seen, &traffic, "k6").knee.expect("a knee");
        assert!((rate - 100.0).abs() < 1.0, "{rate}");
        assert!(broken.contains(&String::from("seat-map.p99")), "{broken:?}");
    }

    #[test]
    fn a_stampede_needs_all_to_wait_at_once() {
        let load = Load::Burst { burst: 3, path: String::from("/data/x") };
        let data = |sent: f64| Request { kind: String::from("data"), ..request(sent, 2000.0, true) };
        let (together, mut traffic) =
            seen(Scenario::Stampede, load.clone(), (0..3).map(|at| data(f64::from(at))).collect(), 1.0);
        traffic.scenarios.stampede.least_waiting = 3;
        assert_eq!(judge(&together, &traffic, "k6").outcome, Outcome::Held);
        let (apart, _) =
            seen(Scenario::Stampede, load, (0..3).map(|at| data(f64::from(at) * 5000.0)).collect(), 1.0);
        assert_eq!(judge(&apart, &traffic, "k6").outcome, Outcome::Broken);
    }
}
