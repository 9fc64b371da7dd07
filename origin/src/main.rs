//! The box office's program: reads the settings, opens the database, serves until told to stop.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use levee_origin::{App, Server, Settings, logging};

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    logging::start(settings.log_format);
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    // Bound first: a port that is taken is said at once, not after the catalogue was loaded.
    let server = Server::bind(&settings).await?;
    let app = App::open(&settings).await?;
    let mut stdout = std::io::stdout();
    // Whoever started us waits for this line; that nobody reads it is no reason to stop.
    let _ = writeln!(stdout, "levee-origin listening on http://{}", server.address());
    let _ = stdout.flush();
    server.run(app).await
}
