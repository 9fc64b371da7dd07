//! From what was seen to charts, numbers and a page.

use std::collections::BTreeMap;

use anyhow::Result;

use super::chart::Chart;
use super::evidence::Evidence;
use super::plan::Load;
use super::requests::{self, Request};
use super::sample::Sample;
use super::scenario::Scenario;
use super::seen::{Seen, mebibytes};
use super::verdict::Verdict;

/// Fewer requests than this make no percentile of a point.
const FEW: usize = 5;
/// The most lines of raw results that are kept whole; of more every n-th is.
const LINES: usize = 350_000;

/// Puts everything into the evidence.
pub(super) fn draw(evidence: &mut Evidence, seen: &Seen, verdict: &Verdict, lines: &str) -> Result<()> {
    numbers(evidence, seen, verdict);
    evidence.heading("What was sent and answered");
    if matches!(seen.load, Load::Burst { .. }) {
        waiting(evidence, seen)?;
    } else {
        rate(evidence, seen)?;
    }
    evidence.heading("How long it took");
    for name in seen.objectives.keys() {
        latency(evidence, seen, name)?;
    }
    if seen.scenario == Scenario::Stress {
        knee(evidence, seen)?;
    }
    evidence.heading("Where the answers came from");
    sources(evidence, seen)?;
    origin(evidence, seen)?;
    evidence.heading("What it took");
    used(evidence, seen)?;
    raw(evidence, lines)
}

fn numbers(evidence: &mut Evidence, seen: &Seen, verdict: &Verdict) {
    let all = seen.requests.len() as f64;
    let wrong = seen.requests.iter().filter(|request| !request.right).count() as f64;
    evidence.number("requests", all);
    evidence.number("requests_wrong", wrong);
    evidence.number("arrivals_dropped", seen.dropped as f64);
    evidence.number("duration_seconds", seen.end);
    evidence.number("rate_mean_per_second", all / seen.end.max(1e-3));
    if !matches!(seen.load, Load::Burst { .. }) {
        evidence.number("rate_highest_per_second", seen.highest_rate());
        evidence.number("generator_ceiling_per_second", seen.ceiling);
        evidence.number("generator_share_of_ceiling_share", seen.highest_rate() / seen.ceiling);
    }
    if let Load::Arrivals { arrivals } = &seen.load {
        evidence.number(
            "rate_planned_least_per_second",
            arrivals.iter().map(|stage| stage.0.min(stage.1)).fold(f64::INFINITY, f64::min),
        );
        evidence.number("rate_planned_most_per_second", super::traffic::highest(arrivals));
    }
    for name in seen.objectives.keys() {
        let sorted = requests::latencies(seen.of_journey(name));
        if sorted.is_empty() {
            continue;
        }
        let name = name.replace('-', "_");
        evidence.number(format!("requests_{name}"), sorted.len() as f64);
        for percent in [50.0, 95.0, 99.0, 100.0] {
            let word = if percent >= 100.0 { String::from("max") } else { format!("p{percent}") };
            evidence.number(format!("latency_{name}_{word}_ms"), requests::percentile(&sorted, percent));
        }
    }
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for request in &seen.requests {
        *statuses.entry(request.status).or_default() += 1;
    }
    for (status, count) in statuses {
        evidence.number(format!("status_{status}"), count as f64);
    }
    for (source, count) in seen.sources() {
        evidence.number(format!("answers_{source}"), count as f64);
        evidence.number(format!("answers_{source}_share"), count as f64 / all.max(1.0));
    }
    if seen.samples.contains_key("edge") || !seen.asked.is_empty() {
        evidence.number("origin_requests", seen.asked.len() as f64);
        evidence.number("origin_requests_share", seen.asked.len() as f64 / all.max(1.0));
    }
    for (name, samples) in &seen.samples {
        let key = name.replace(' ', "_");
        let most = |of: fn(&Sample) -> f64| samples.iter().map(of).fold(0.0, f64::max);
        evidence.number(format!("cpu_{key}_seconds"), seen.cpu_seconds(name));
        evidence.number(format!("cpu_{key}_per_request_us"), seen.cpu_seconds(name) * 1e6 / all.max(1.0));
        evidence.number(format!("memory_{key}_most_bytes"), most(|sample| sample.usage.resident as f64));
        evidence.number(
            format!("threads_{key}_most"),
            most(|sample| sample.usage.threads.map_or(0.0, f64::from)),
        );
        evidence.number(
            format!("sockets_{key}_most"),
            most(|sample| sample.usage.sockets.map_or(0.0, f64::from)),
        );
        let slope = seen.memory_slope(name);
        if seen.scenario == Scenario::Soak && slope.is_finite() {
            evidence.number(format!("memory_{key}_slope_mib_per_hour"), slope);
        }
    }
    if let (Some((_, first)), Some((_, last))) = (seen.counts.first(), seen.counts.last()) {
        for (name, count) in last {
            let before = first.get(name).copied().unwrap_or(0);
            evidence.number(format!("edge_{name}"), count.saturating_sub(before) as f64);
        }
    }
    if let Some((rate, broken)) = &verdict.knee {
        let name = if broken.is_empty() { "knee_at_least_per_second" } else { "knee_per_second" };
        evidence.number(name, *rate);
    }
    if let Load::Burst { burst, .. } = seen.load {
        evidence.number("clients", f64::from(burst));
        let waiting = requests::under_way(&seen.requests, seen.zero);
        evidence.number("waiting_most", waiting.into_iter().map(|(_, now)| now).fold(0.0, f64::max));
    }
    let mut rows = vec![
        vec![String::from("requests"), format!("{all:.0}")],
        vec![String::from("not answered right"), format!("{wrong:.0}")],
        vec![String::from("arrivals that were due and not sent"), seen.dropped.to_string()],
        vec![String::from("duration, seconds"), format!("{:.1}", seen.end)],
    ];
    if !seen.asked.is_empty() {
        rows.push(vec![String::from("requests that reached the origin"), seen.asked.len().to_string()]);
    }
    evidence.table(&[], rows);
}

fn counted<'a>(seen: &Seen, moments: impl Iterator<Item = f64> + 'a) -> Vec<(f64, f64)> {
    let width = seen.width();
    let mut bins = vec![0.0; (seen.end / width).floor().max(1.0) as usize];
    for at in moments {
        if let Some(bin) = bins.get_mut((at / width) as usize) {
            *bin += 1.0;
        }
    }
    bins.into_iter().enumerate().map(|(at, count)| ((at as f64 + 0.5) * width, count / width)).collect()
}

fn at(seen: &Seen, request: &Request) -> f64 {
    request.sent.saturating_sub(seen.zero) as f64 / 1000.0
}

fn rate(evidence: &mut Evidence, seen: &Seen) -> Result<()> {
    let of = |right: bool| {
        let chosen = seen.requests.iter().filter(move |request| request.right == right);
        counted(seen, chosen.map(|request| at(seen, request)))
    };
    let width = seen.width();
    let planned = (0..(seen.end / width).floor() as u32)
        .map(|bin| (f64::from(bin) + 0.5) * width)
        .map(|at| (at, seen.planned(at)))
        .collect();
    let wrong = of(false);
    let mut chart = Chart::over_time("Rate", "requests a second")
        .line("answered right", of(true))
        .line("planned", planned)
        .until(seen.end)
        .events(&seen.events);
    if wrong.iter().any(|point| point.1 > 0.0) {
        chart = chart.line("not answered right", wrong);
    }
    evidence.chart("rate", &chart, "Requests by the second in which they were sent, beside the plan.")
}

fn waiting(evidence: &mut Evidence, seen: &Seen) -> Result<()> {
    let waiting = requests::under_way(&seen.requests, seen.zero);
    // Thousands of steps within a pixel are as well drawn by the last of each.
    let mut thinned: Vec<(f64, f64)> = Vec::new();
    for (at, now) in waiting {
        match thinned.last_mut() {
            Some(last) if at - last.0 < seen.end / 800.0 && now >= last.1 => last.1 = now,
            _ => thinned.push((at, now)),
        }
    }
    let chart = Chart::over_time("Clients that wait", "clients").line("waiting for an answer", thinned);
    evidence.chart("waiting", &chart, "How many clients had sent their request and had no whole answer yet.")
}

fn latency(evidence: &mut Evidence, seen: &Seen, journey: &str) -> Result<()> {
    let of: Vec<Request> = seen.of_journey(journey).cloned().collect();
    if of.is_empty() {
        return Ok(());
    }
    // As wide as it takes for a point to stand on enough requests.
    let need = 20.0 * seen.end / of.len() as f64;
    let width = seen.width().max(need.ceil());
    let windows = requests::windows(&of, seen.zero, width);
    let line = |percent: f64| -> Vec<(f64, f64)> {
        windows
            .iter()
            .filter(|(_, window)| window.len() >= FEW)
            .map(|(number, window)| {
                let sorted = requests::latencies(window.iter().copied());
                ((*number as f64 + 0.5) * width, requests::percentile(&sorted, percent))
            })
            .collect()
    };
    let mut chart = Chart::over_time(format!("Latency: {journey}"), "milliseconds (logarithmic)")
        .logarithmic()
        .line("99 of 100 within", line(99.0))
        .line("95 of 100 within", line(95.0))
        .line("half within", line(50.0))
        .until(seen.end)
        .events(&seen.events);
    for wanted in seen.objectives.get(journey).map(|journey| journey.latency.as_slice()).unwrap_or_default() {
        chart = chart.limit(format!("objective for {} of 100", wanted.percent), wanted.milliseconds);
    }
    let seconds = if width > 1.0 { format!("{width:.0} seconds") } else { String::from("second") };
    let caption =
        format!("At the client, from the request to the last byte, by the {seconds} in which it was sent.");
    evidence.chart(&format!("latency-{journey}"), &chart, &caption)
}

fn knee(evidence: &mut Evidence, seen: &Seen) -> Result<()> {
    let width = seen.width().max(5.0);
    let of = |percent: f64| -> Vec<(f64, f64)> {
        requests::windows(&seen.requests, seen.zero, width)
            .into_iter()
            .filter(|(number, _)| (*number as f64 + 1.0) * width <= seen.end)
            .map(|(number, window)| {
                let sorted = requests::latencies(window.into_iter());
                (seen.planned((number as f64 + 0.5) * width), requests::percentile(&sorted, percent))
            })
            .collect()
    };
    let mut chart = Chart::over_time("Latency over the rate", "milliseconds (logarithmic)")
        .logarithmic()
        .line("99 of 100 within", of(99.0))
        .line("half within", of(50.0));
    chart.x = String::from("arrivals a second");
    evidence.chart(
        "latency-over-rate",
        &chart,
        "All requests of the ramp, by the rate at which they arrived.",
    )
}

fn sources(evidence: &mut Evidence, seen: &Seen) -> Result<()> {
    let width = seen.width();
    let windows = requests::windows(&seen.requests, seen.zero, width);
    let mut chart = Chart::over_time("Answers by where they came from", "share of the answers, percent")
        .until(seen.end)
        .events(&seen.events);
    for (source, _) in seen.sources().into_iter().take(8) {
        let points = windows
            .iter()
            .filter(|(_, window)| window.len() >= FEW)
            .map(|(number, window)| {
                let count = window.iter().filter(|request| request.source == source).count();
                ((*number as f64 + 0.5) * width, 100.0 * count as f64 / window.len() as f64)
            })
            .collect();
        chart = chart.line(named(&source), points);
    }
    evidence.chart(
        "sources",
        &chart,
        "By the field Server-Timing of each answer: hits by tier, and what was not one.",
    )?;
    let all = seen.requests.len() as f64;
    let rows = seen
        .sources()
        .into_iter()
        .map(|(source, count)| {
            vec![named(&source), count.to_string(), format!("{:.2} %", 100.0 * count as f64 / all)]
        })
        .collect();
    evidence.table(&["answered", "requests", "share"], rows);
    Ok(())
}

/// What a source is called for people.
fn named(source: &str) -> String {
    String::from(match source {
        "memory" => "from memory",
        "kv" => "from KV",
        "local" => "from the data centre's cache",
        "sqlite" => "from SQLite",
        "stale" => "stale, by permission",
        "revalidated" => "confirmed by the origin",
        "collapsed" => "by another's request",
        "miss" => "by the origin",
        "pass" => "passed through",
        "error" => "with an error of the edge",
        "none" => "without a word of the edge",
        other => other,
    })
}

fn origin(evidence: &mut Evidence, seen: &Seen) -> Result<()> {
    let mut instances: Vec<usize> = seen.asked.iter().map(|asked| asked.origin).collect();
    instances.sort_unstable();
    instances.dedup();
    let all = counted(seen, seen.asked.iter().map(|asked| asked.at));
    let mut chart = Chart::over_time("Requests that reached the origin", "requests a second")
        .until(seen.end)
        .events(&seen.events);
    let caption = if instances.len() > 1 {
        for instance in &instances {
            let of = seen.asked.iter().filter(|asked| asked.origin == *instance);
            chart = chart.line(format!("origin {instance}"), counted(seen, of.map(|asked| asked.at)));
        }
        let rows = instances
            .iter()
            .map(|instance| {
                let count = seen.asked.iter().filter(|asked| asked.origin == *instance).count();
                evidence.number(format!("origin_{instance}_requests"), count as f64);
                vec![format!("origin {instance}"), count.to_string()]
            })
            .collect();
        evidence.table(&["instance", "requests"], rows);
        "By the log of each instance."
    } else {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for asked in &seen.asked {
            *kinds.entry(asked.kind).or_default() += 1;
        }
        chart = chart.line("all", all);
        for kind in kinds.keys() {
            let of = seen.asked.iter().filter(|asked| asked.kind == *kind);
            chart = chart.line(*kind, counted(seen, of.map(|asked| asked.at)));
        }
        "By the origin's own log, background revalidations included."
    };
    evidence.chart("origin", &chart, caption)
}

fn used(evidence: &mut Evidence, seen: &Seen) -> Result<()> {
    let chart = |title: &str, y: &str, of: fn(&Sample) -> f64, generator: bool| {
        let mut chart = Chart::over_time(title, y).until(seen.end).events(&seen.events);
        for (name, samples) in seen.samples.iter().filter(|(name, _)| generator || *name != "generator") {
            let until = samples.iter().filter(|sample| sample.at <= seen.end);
            chart = chart.line(name, until.map(|sample| (sample.at, of(sample))).collect());
        }
        chart
    };
    let sockets = |sample: &Sample| sample.usage.sockets.map_or(f64::NAN, f64::from);
    evidence.chart(
        "cpu",
        &chart("CPU by process", "cores in use", |sample| sample.cores, true),
        "CPU time a second, of each process with its children.",
    )?;
    evidence.chart(
        "memory",
        &chart("Memory by process", "resident, MiB", mebibytes, false),
        "Resident memory of each process of the system with its children; the generator's is in the table.",
    )?;
    evidence.chart(
        "sockets",
        &chart("Sockets by process", "open sockets", sockets, true),
        "Open sockets of each process.",
    )?;
    let rows = seen
        .samples
        .iter()
        .map(|(name, samples)| {
            let cpu = seen.cpu_seconds(name);
            let most = |of: fn(&Sample) -> f64| samples.iter().map(of).fold(0.0, f64::max);
            vec![
                name.clone(),
                format!("{cpu:.1}"),
                format!("{:.0}", cpu * 1e6 / (seen.requests.len() as f64).max(1.0)),
                format!("{:.1}", most(mebibytes)),
                format!("{:.0}", most(|sample| sample.usage.threads.map_or(0.0, f64::from))),
                format!("{:.0}", most(|sample| sample.usage.sockets.map_or(0.0, f64::from))),
            ]
        })
        .collect();
    evidence.table(
        &["process", "CPU, seconds", "CPU a request, µs", "most memory, MiB", "most threads", "most sockets"],
        rows,
    );
    Ok(())
}

/// Keeps the generator's lines, thinned where they would take too much.
fn raw(evidence: &mut Evidence, lines: &str) -> Result<()> {
    let all = lines.lines().count();
    let every = all.div_ceil(LINES).max(1);
    let head = "sent_unix_ms,kind,status,tenths_of_ms,right,source\n";
    let mut kept = String::with_capacity(lines.len() / every + head.len());
    kept.push_str(head);
    for line in lines.lines().step_by(every) {
        kept.push_str(line);
        kept.push('\n');
    }
    let what = match every {
        1 => String::from("one line a request, as the generator wrote it"),
        every => format!("one line for each {every}th request, as the generator wrote it"),
    };
    evidence.number("raw_kept_one_in", every as f64);
    evidence.raw("requests.csv", kept.as_bytes(), &what)
}
