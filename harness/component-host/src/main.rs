//! `levee-component-host`: runs the component of a `spin.toml` and says where it listens.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use levee_component_host::{Manifest, Options, Reuse, Server, StoreKind};
use tracing_subscriber::EnvFilter;

/// Runs a Spin component without Spin, for tests, comparison and development. It is not Spin, and not for production.
#[derive(Debug, Parser)]
#[command(name = "levee-component-host", version)]
struct Args {
    /// The manifest, version 2.
    #[arg(long, short = 'f', value_name = "FILE", default_value = "spin.toml")]
    from: PathBuf,
    /// Where to listen; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// A value for a variable of the manifest (repeat it); else the environment's SPIN_VARIABLE_NAME is taken.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Where key-value stores are kept: a SQLite file, or in memory.
    #[arg(long, value_name = "FILE|:memory:", default_value = ":memory:")]
    sqlite: PathBuf,
    /// A Redis that stands in for each one that the component opens and may reach.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Where compiled components are kept between runs. [default: where LEVEE_CACHE says, else the user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// How many requests an instance takes in its life.
    #[arg(long, value_name = "N", default_value_t = Reuse::default().max_instance_reuse_count)]
    max_instance_reuse_count: usize,
    /// How many requests an instance takes at a time.
    #[arg(long, value_name = "N", default_value_t = Reuse::default().max_instance_concurrent_reuse_count)]
    max_instance_concurrent_reuse_count: usize,
    /// How long an instance without requests is kept: a number with ms, s, m or h.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    idle_instance_timeout: Duration,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.context("no threads").and_then(|runtime| runtime.block_on(run(args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("levee-component-host: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let manifest = Manifest::read(&args.from, &args.variables)?;
    let options = Options {
        stores: if args.sqlite.as_os_str() == ":memory:" {
            StoreKind::Memory
        } else {
            StoreKind::Sqlite(args.sqlite)
        },
        redis: args.redis,
        reuse: Reuse {
            max_instance_reuse_count: args.max_instance_reuse_count,
            max_instance_concurrent_reuse_count: args.max_instance_concurrent_reuse_count,
            idle_instance_timeout: args.idle_instance_timeout,
        },
        cache: args.cache.or_else(cache_folder),
    };
    // Before the line that others wait for: whoever has read it may send a signal.
    let stop = stop()?;
    let server = Server::start(manifest, options, args.listen).await?;
    println!("levee-component-host listening on http://{}", server.address());
    server.run(stop).await;
    Ok(())
}

#[cfg(unix)]
fn stop() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop() -> Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Beside what `cargo xtask` keeps for a user.
fn cache_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    let user = || {
        let home = || set("HOME").map(|home| home.join(caches));
        Some(set("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()).or_else(home)?.join("levee"))
    };
    let folder = set("LEVEE_CACHE").or_else(user)?.join("components");
    std::path::absolute(folder).ok()
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "it must begin with a number, as in 500ms")?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(String::from("the unit must be ms, s, m or h")),
    };
    Ok(Duration::from_millis(number.saturating_mul(milliseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        for wrong in ["1", "s", "1d", "-1s"] {
            duration(wrong).expect_err(wrong);
        }
    }
}
