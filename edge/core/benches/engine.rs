//! What the engine costs, beside `http-cache-semantics` on the same fields in the same run. `docs/correctness.md` has the
//! targets and how to read the output.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use http::{HeaderMap, Method};
use levee::classes::{Facts, Moved, Particulars, repeats_ordinary};
use levee::entry::{decode, encode_entry};
use levee::key::Standing;
use levee::pipeline::hit::{Line, Plan, fields_that_matter, hit, standing};
use levee::respond::from_entry;
use levee::{Scheme, pipeline};

#[allow(unreachable_pub, reason = "shared with a test")]
mod fixture;

/// From the request's fields to the decision.
fn decisions(c: &mut Criterion) {
    let (request, entry, policy) = (fixture::request(), Arc::new(fixture::entry()), fixture::policy());
    let mut group = c.benchmark_group("decide");
    group.bench_function("levee", |b| {
        b.iter(|| fixture::decision(black_box(&request), black_box(&entry), &policy));
    });
    // `before_request` makes the answer's fields as well; this is as much.
    group.bench_function("levee, with the answer's fields", |b| {
        b.iter(|| {
            let decision = fixture::decision(black_box(&request), black_box(&entry), &policy);
            (decision, from_entry(&Method::GET, &request, &entry, &policy, fixture::NOW))
        });
    });
    let (cached, asked, now) = fixture::semantics();
    group.bench_function("http-cache-semantics", |b| {
        b.iter(|| black_box(&cached).before_request(black_box(&asked), now));
    });
    group.finish();
}

/// From the request as it came to the answer's fields and body.
fn hits(c: &mut Criterion) {
    let sim = fixture::sim();
    sim.exchange(fixture::whole_request());
    let mut group = c.benchmark_group("memory hit");
    group.bench_function("whole pipeline", |b| {
        b.iter_batched(
            fixture::whole_request,
            |request| pipeline::handle(&sim.edge, &sim.platform, request).now_or_never().expect("a hit"),
            BatchSize::SmallInput,
        );
    });
    let method = Method::GET;
    let line =
        Line { method: &method, scheme: Scheme::Https, authority: "a.example", target: fixture::TARGET };
    let plan = plan(&sim.edge, &line);
    group.bench_function("short way", |b| {
        b.iter(|| hit(&sim.edge, black_box(&plan), 600, sim.platform_now()).expect("a hit"));
    });
    group.finish();
}

/// As an adapter makes it: told what matters, and what the URL has turned out to vary on.
fn plan(edge: &levee::Edge, line: &Line<'_>) -> Plan {
    let all = fixture::request();
    let (route, mut told) = fields_that_matter(edge, line).expect("a route that caches");
    let selects = |name: &_, value: &_| standing(edge, route, name, value) == Standing::Selects;
    loop {
        let fields: HeaderMap = all
            .iter()
            .filter(|(n, v)| told.contains(n) || selects(n, v))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let plan = Plan::new(edge, line, fields, &told).expect("a request that may be answered");
        let lacks = plan.lacks(edge);
        if lacks.is_empty() {
            return plan;
        }
        told.extend(lacks);
    }
}

fn parts(c: &mut Criterion) {
    let (request, entry, policy, stored) =
        (fixture::request(), Arc::new(fixture::entry()), fixture::policy(), fixture::stored());
    c.bench_function("key", |b| b.iter(|| fixture::key(black_box(&request), &policy)));
    let mut group = c.benchmark_group("entry");
    group.bench_function("encode", |b| b.iter(|| encode_entry(black_box(&entry), None)));
    group.bench_function("decode", |b| b.iter(|| decode(black_box(&stored), &entry.key)));
    group.finish();
}

/// What a browser's fields say, and what a fill looks for in a response to them.
fn classes(c: &mut Criterion) {
    let request = fixture::browser();
    let moved = Moved::default();
    let mut group = c.benchmark_group("classes");
    group.bench_function("particular fields of a browser", |b| {
        b.iter(|| Particulars::of(black_box(&request), &moved, |_| false).map(|found| found.is_empty()));
    });
    group.bench_function("facts of a browser", |b| b.iter(|| Facts::of(black_box(&request))));
    let answer = HeaderMap::new();
    for (name, body) in
        [("64 KiB of HTML", fixture::page(64 << 10)), ("2 MiB of HTML", fixture::page(2 << 20))]
    {
        group.bench_function(format!("repeated values in {name}"), |b| {
            b.iter(|| repeats_ordinary(black_box(&request), &answer, black_box(body.as_bytes()), &moved));
        });
    }
    group.finish();
}

criterion_group! {
    name = engine;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(60);
    targets = decisions, hits, parts, classes
}
criterion_main!(engine);
