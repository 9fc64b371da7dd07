//! What can be set, by option or by environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::cloud_run;

const DEFAULT_PORT: u16 = 8081;

/// The box office: a reference origin with a real catalogue, seats and orders.
#[derive(Debug, Clone, Parser)]
#[command(name = "levee-origin", version)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8081, or 0.0.0.0:$PORT where PORT is set]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Port on every interface, as container platforms hand it over; `--listen` wins
    #[arg(long, env = "PORT", hide = true)]
    pub port: Option<u16>,

    /// SQLite file; made and filled on the first start
    #[arg(long, env = "LEVEE_DATABASE", value_name = "FILE", default_value = ".levee/box-office.sqlite")]
    pub database: PathBuf,

    /// A filled database to copy where FILE does not exist yet; quicker than filling one, and it may be read-only
    #[arg(long, env = "LEVEE_DATABASE_TEMPLATE", value_name = "FILE")]
    pub database_template: Option<PathBuf>,

    /// Make the database where it does not exist, and exit
    #[arg(long)]
    pub prepare: bool,

    /// How long a look-up at /data/{key} takes
    #[arg(long, env = "LEVEE_DATA_DELAY", value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub data_delay: Duration,

    /// Where visitors find the site, such as https://tickets.example.com; gives the pages their canonical addresses
    #[arg(long, env = "LEVEE_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// After a signal to stop: how long new connections are still taken while /readyz already says 503
    #[arg(long, env = "LEVEE_DRAIN_DELAY", value_name = "TIME", default_value = "200ms", value_parser = duration)]
    pub drain_delay: Duration,

    /// How log lines look (they go to stderr)
    #[arg(long, env = "LEVEE_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,

    /// The service's name, which Cloud Run sets
    #[arg(long, env = "K_SERVICE", hide = true)]
    pub cloud_run_service: Option<String>,

    /// How many instances the service may have; Cloud Run does not say, so the service repeats it
    #[arg(long, env = "LEVEE_ORIGIN_MAX_INSTANCES", hide = true)]
    pub max_instances: Option<u32>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl Settings {
    /// The address to listen on: `--listen`, else `PORT` on every interface, else the default on loopback.
    pub fn address(&self) -> SocketAddr {
        match (self.listen, self.port) {
            (Some(address), _) => address,
            (None, Some(port)) => (Ipv4Addr::UNSPECIFIED, port).into(),
            (None, None) => (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(),
        }
    }

    /// Refuses to run where several instances would each sell the same seats (Cloud Run with more than one).
    pub fn check_platform(&self) -> anyhow::Result<()> {
        Ok(cloud_run::check(self.cloud_run_service.as_deref(), self.max_instances)?)
    }
}

/// Reads `2s`, `500ms` or `1m`. A number without a unit is refused, except 0.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a length of time; write it like 2s, 500ms or 1m");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(wrong),
        "" if number == 0 => Ok(Duration::ZERO),
        _ => Err(wrong()),
    }
}

/// Takes `scheme://host[:port]`, without a path, and drops a trailing slash.
fn public_url(text: &str) -> Result<String, String> {
    let origin = text.strip_suffix('/').unwrap_or(text);
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '"', '<', '>']) => {
            Ok(origin.to_owned())
        }
        _ => Err(format!("`{text}` is not a site's address; write it like https://tickets.example.com")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_carry_units() {
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["2", "", "s", "2 s", "-1s", "2h", "1.5s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_port_variable_opens_every_interface_and_listen_wins() {
        let port = Settings::parse_from(["levee-origin", "--port", "9000"]);
        assert_eq!(port.address().to_string(), "0.0.0.0:9000");
        let both = Settings::parse_from(["levee-origin", "--port", "9000", "--listen", "127.0.0.1:1"]);
        assert_eq!(both.address().to_string(), "127.0.0.1:1");
    }

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(public_url("https://a.example/"), Ok("https://a.example".to_owned()));
        assert!(public_url("a.example").is_err());
        assert!(public_url("https://a.example/shop").is_err());
    }
}
