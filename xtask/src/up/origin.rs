use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use levee_harness::{Origin, Process};

use super::common;
use super::folder::Folder;
use crate::stop;

/// Where the box office of the first run listens if nothing else does.
const PORT: u16 = 8081;

/// Builds the box office.
pub(super) fn build(root: &Path) -> Result<PathBuf> {
    println!("Building the origin");
    let built = levee_harness::cargo_build(root, &["levee-origin"], &[], stop::requested)?;
    Ok(built.into_iter().next().context("cargo named no levee-origin")?.artifact)
}

/// Starts the box office. Its database stays in the folder, so that only the first start loads the catalogue.
pub(super) fn start(binary: &Path, folder: &Folder) -> Result<Process> {
    println!("Starting the origin");
    let process = Origin::new(folder.keep(binary)?)
        .port(folder.port(PORT).unwrap_or(0))
        .database(folder.path().join("box-office.sqlite"))
        .with(common(folder, "origin"))
        .start()?;
    Ok(process)
}

/// An origin may come up later than the edge; until then the edge says so itself.
pub(super) fn warn_if_silent(url: &str) {
    if !listens(url) {
        println!("warning: nothing answers at {url} yet; the edge will answer 502 until something does");
    }
}

fn listens(url: &str) -> bool {
    let (authority, default) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
        (Some(authority), _) => (authority, 80),
        (_, Some(authority)) => (authority, 443),
        _ => return false,
    };
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { authority.to_owned() } else { format!("{authority}:{default}") };
    address.to_socket_addrs().is_ok_and(|mut addresses| {
        addresses.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert!(listens(&format!("http://127.0.0.1:{port}")));
        drop(listener);
        assert!(!listens(&format!("http://127.0.0.1:{port}")));
        assert!(!listens("gopher://127.0.0.1"));
    }
}
