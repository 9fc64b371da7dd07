//! The program `levee-native`: the edge as a server.

#![forbid(unsafe_code)]

mod cli;

use std::io::{IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use levee_native::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use cli::{Arguments, LogFormat};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr(arguments.log_format);
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // For people, whatever the log's format is.
            eprintln!("levee-native: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    cli::raise_descriptors(config.limits.connections);
    let server = Server::bind(config, arguments.options())?;
    let address = reachable(server.local_addr());
    // The threads of the server have runtimes of their own; this one waits for signals.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    runtime.block_on(async {
        let mut signals = Signals::new().context("signals cannot be received")?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "levee-native listening on http://{address}")?;
        stdout.flush()?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            listen = %server.local_addr(),
            threads = arguments.options().threads,
            "started"
        );
        for line in levee_native::levee::config::in_two_lines(server.edge().config()) {
            tracing::info!("{line}");
        }
        let served = server.serve(async {
            let name = signals.next().await;
            tracing::info!(signal = name, "draining; once more to stop at once");
            tokio::spawn(async move {
                signals.next().await;
                std::process::exit(130);
            });
        });
        served.await?;
        tracing::info!("stopped");
        Ok(())
    })
}

/// An address that a client on the same machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
