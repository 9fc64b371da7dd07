//! The box office's program: reads the settings, opens the database, serves until told to stop.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use levee_origin::{App, Server, Settings, logging};
use tokio::runtime::Runtime;

/// How long work on the database that nobody waits for any more may hold up the end. It runs in transactions: what is
/// broken off has not happened.
const LAST_WORK: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let settings = Settings::parse();
    logging::start(settings.log_format);
    let done = Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let done = runtime.block_on(run(settings));
        runtime.shutdown_timeout(LAST_WORK);
        done
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    if settings.prepare {
        return App::prepare(&settings).await;
    }
    settings.check_platform()?;
    // Bound first: a port that is taken is said at once, not after the catalogue was loaded, and whoever asks meanwhile
    // hears that the process is alive and not ready.
    let server = Server::bind(&settings).await?;
    server.run(App::open(&settings), say_where).await
}

fn say_where(address: std::net::SocketAddr) {
    let mut stdout = std::io::stdout();
    // Whoever started us waits for this line; that nobody reads it is no reason to stop.
    let _ = writeln!(stdout, "levee-origin listening on http://{address}");
    let _ = stdout.flush();
}
