//! What is compared, and how each is started. Another contender is one more line in [`ALL`] and one function.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use levee_harness::{
    ComponentHost, Gunicorn, Native, Nginx, Process, Redis, Varnish, Workerd, WorkerdStores,
};

use super::parts::Parts;
use crate::stop;

/// Threads of each of gunicorn's workers. Three workers with so many carry a stampede of slow look-ups without queueing long.
const THREADS: &str = "16";

/// A way to serve the box office's visitors.
pub(crate) struct Contender {
    /// In the names of figures and for `--only`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    /// Starts it before the origin at this URL.
    pub(crate) start: fn(&Parts, &str) -> Result<Stack>,
    /// What is missing on this machine to run it, as a sentence.
    pub(crate) lacks: fn(&Parts) -> Option<String>,
}

/// What part a contender plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Levee.
    Own,
    /// What Levee is compared with.
    Other,
    /// What a platform costs before anything is done on it. It caches nothing, so that only what is cached is asked of it.
    Floor,
}

/// In the order of the table: ours first, the others from the nearest to the farthest, and the floor.
pub(crate) const ALL: &[Contender] = &[
    Contender { name: "native", title: "Levee, native", kind: Kind::Own, start: native, lacks: |_| None },
    Contender {
        name: "workerd",
        title: "Levee on workerd",
        kind: Kind::Own,
        start: workerd,
        lacks: |parts| parts.worker.as_ref().err().cloned(),
    },
    Contender {
        name: "component",
        title: "Levee in the component host",
        kind: Kind::Own,
        start: component,
        lacks: |parts| parts.component.as_ref().err().cloned(),
    },
    Contender {
        name: "nginx",
        title: "nginx proxy_cache",
        kind: Kind::Other,
        start: nginx,
        lacks: |parts| parts.nginx.as_ref().err().cloned(),
    },
    Contender {
        name: "varnish",
        title: "Varnish",
        kind: Kind::Other,
        start: varnish,
        lacks: |parts| parts.varnish.as_ref().err().cloned(),
    },
    Contender {
        name: "classic",
        title: "Flask, gunicorn, Redis, nginx",
        kind: Kind::Other,
        start: classic,
        lacks: |parts| {
            let all = [&parts.nginx, &parts.redis, &parts.python];
            all.into_iter().find_map(|part| part.as_ref().err().cloned())
        },
    },
    Contender {
        name: "constant",
        title: "A Worker that answers a constant",
        kind: Kind::Floor,
        start: constant,
        lacks: |parts| parts.constant.as_ref().err().cloned(),
    },
];

/// The running processes of a contender. Dropped, they are stopped, the one that clients meet first.
#[derive(Debug)]
pub(crate) struct Stack {
    processes: Vec<Process>,
}

impl Stack {
    /// `processes`: the one that clients meet comes first.
    fn new(processes: impl Into<Vec<Process>>) -> Self {
        Self { processes: processes.into() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.processes.first().map_or(0, Process::port)
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.processes.iter().map(Process::pid).collect()
    }

    /// What its processes wrote last, for when something goes wrong.
    pub(crate) fn log(&self) -> String {
        let tail = |process: &Process| format!("{}:\n{}", process.name(), process.log().tail(15));
        self.processes.iter().map(tail).collect::<Vec<_>>().join("\n")
    }
}

fn native(parts: &Parts, origin: &str) -> Result<Stack> {
    let edge = Native::new(&parts.native)
        .config(parts.root.join("levee.toml"))
        .host("localhost")
        .origin("box-office", origin)
        .with(|spec| spec.cancelled_by(stop::requested));
    Ok(Stack::new([edge.start()?]))
}

fn workerd(parts: &Parts, origin: &str) -> Result<Stack> {
    let worker = parts.worker.as_ref().map_err(|lacks| anyhow::anyhow!("{lacks}"))?;
    // In a process of their own, as Redis is: what they cost counts.
    let stores = WorkerdStores::start(&worker.workerd, |spec| spec.cancelled_by(stop::requested))?;
    let edge = Workerd::new(&worker.workerd, &worker.bundle)
        .module("levee.bin", parts.compiled(origin)?)
        .stores(&stores)
        .with(|spec| spec.cancelled_by(stop::requested));
    Ok(Stack::new([edge.start()?, stores.into_process()]))
}

fn constant(parts: &Parts, _: &str) -> Result<Stack> {
    let worker = parts.constant.as_ref().map_err(|lacks| anyhow::anyhow!("{lacks}"))?;
    let floor = Workerd::new(&worker.workerd, &worker.bundle).with(|spec| spec.cancelled_by(stop::requested));
    Ok(Stack::new([floor.start()?]))
}

fn component(parts: &Parts, origin: &str) -> Result<Stack> {
    let component = parts.component.as_ref().map_err(|lacks| anyhow::anyhow!("{lacks}"))?;
    let host = ComponentHost::new(&component.host, &component.manifest)
        .variable("levee_origin_box_office_url", origin)
        .with(|spec| spec.cancelled_by(stop::requested));
    Ok(Stack::new([host.start()?]))
}

fn nginx(parts: &Parts, origin: &str) -> Result<Stack> {
    Ok(Stack::new([nginx_with(parts, "cache.conf", origin)?]))
}

fn nginx_with(parts: &Parts, template: &str, upstream: &str) -> Result<Process> {
    let nginx = Nginx::new(installed(&parts.nginx)?, parts.baseline().join("nginx").join(template));
    Ok(nginx.upstream(upstream).with(|spec| spec.cancelled_by(stop::requested)).start()?)
}

fn varnish(parts: &Parts, origin: &str) -> Result<Stack> {
    let varnish = Varnish::new(installed(&parts.varnish)?, parts.baseline().join("varnish/cache.vcl"));
    let varnish = varnish.origin(origin).with(|spec| spec.cancelled_by(stop::requested));
    Ok(Stack::new([varnish.start()?]))
}

fn classic(parts: &Parts, origin: &str) -> Result<Stack> {
    let redis =
        Redis::new(installed(&parts.redis)?).with(|spec| spec.cancelled_by(stop::requested)).start()?;
    let application =
        Gunicorn::new(installed(&parts.python)?, parts.baseline().join("classic")).with(|spec| {
            spec.env("ORIGIN", origin)
                .env("REDIS_PORT", redis.port().to_string())
                .env("THREADS", THREADS)
                .cancelled_by(stop::requested)
        });
    let application = application.start()?;
    let door = nginx_with(parts, "classic.conf", application.url())?;
    Ok(Stack::new([door, application, redis]))
}

fn installed(part: &Result<PathBuf, String>) -> Result<&PathBuf> {
    part.as_ref().map_err(|lacks| anyhow::anyhow!("{lacks}")).context("a part is missing")
}
