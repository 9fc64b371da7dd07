use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::{Error, Result};

/// Ports that no system hands out by itself: below those of outgoing connections on Linux (from 32768) and macOS (from
/// 49152). A port from among those may be taken by any connection before a program listens there.
const UNASSIGNED: Range<u16> = 20_000..32_000;
/// How long a port at which nobody answers may stay taken: a child that another thread starts just then holds a copy of
/// whatever socket its parent has open, until it runs its own program.
const SETTLE: Duration = Duration::from_secs(2);
/// Ports given out so far: no two callers in one process get the same.
static GIVEN: AtomicU16 = AtomicU16::new(0);

/// A port on 127.0.0.1 that was free a moment ago. Prefer port 0 and the printed address where a program offers it.
pub fn free_port() -> Result<u16> {
    let range = u32::from(UNASSIGNED.end - UNASSIGNED.start);
    // Two processes that look at the same time begin in different places.
    let begin = std::process::id().wrapping_mul(97) % range;
    let mut refused = None;
    for _ in 0..100 {
        let at = (begin + u32::from(GIVEN.fetch_add(1, Ordering::Relaxed))) % range;
        let port = UNASSIGNED.start + u16::try_from(at).unwrap_or_default();
        match try_bind(port) {
            Ok(()) => return Ok(port),
            Err(source) => refused = Some(source),
        }
    }
    let source = refused.unwrap_or_else(|| ErrorKind::AddrInUse.into());
    Err(Error::Io { what: String::from("a free port on 127.0.0.1"), source })
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
    let deadline = Instant::now() + SETTLE;
    loop {
        match try_bind(port) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() != ErrorKind::AddrInUse => {
                return Err(Error::Io { what: format!("port {port} on 127.0.0.1"), source: error });
            }
            Err(_) if Instant::now() >= deadline => return Err(Error::PortInUse { port }),
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Binds and lets go, without listening: a copy that a child holds for a moment must not look like a server.
fn try_bind(port: u16) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())
}
