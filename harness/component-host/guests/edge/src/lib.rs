//! Levee before one origin, `o0`, whose URL is a variable. The environment says what a test wants of the configuration; what is
//! below `/handler/` is answered here.

use std::time::Duration;

use levee_spin::http::{Request, Response};
use levee_spin::levee::testing::config_for;
use levee_spin::{App, Body, Config, Context, Error, Result};

struct Edge;

impl App for Edge {
    fn config() -> Config {
        let mut config = config_for(&["http://127.0.0.1:9"]);
        if let Some(milliseconds) = number("BODY_IDLE") {
            config.limits.body_idle = Duration::from_millis(milliseconds);
        }
        if let Some(bytes) = number("BODY_RATE") {
            config.limits.body_rate = u32::try_from(bytes).unwrap_or(u32::MAX);
        }
        config.into()
    }

    async fn origin(req: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
        let path = req.uri().path();
        if let Some(status) = path.strip_prefix("/handler/status/") {
            let status: u16 = status.parse().map_err(|_| Error::other("no number"))?;
            return Ok(Response::builder().status(status).body("made here".into())?);
        }
        if path == "/handler/large-field" {
            return Ok(Response::builder().header("x-large", "x".repeat(200 << 10)).body("".into())?);
        }
        cx.forward(req).await
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

levee_spin::export!(Edge);
