use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::{Error, Result};

/// A port on 127.0.0.1 that was free a moment ago. Prefer port 0 and the printed address where a program offers it.
pub fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("a free port on 127.0.0.1"))
}

/// # Errors
/// [`Error::PortInUse`] when something listens on this port, on 127.0.0.1 or on all addresses.
pub fn ensure_free(port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Binding alone is not enough on macOS, where a listener on all addresses does not keep others off loopback.
    let answered = port != 0 && TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok();
    if answered {
        return Err(Error::PortInUse { port });
    }
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(Error::PortInUse { port }),
        Err(source) => Err(Error::Io { what: format!("port {port} on 127.0.0.1"), source }),
    }
}
