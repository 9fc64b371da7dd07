//! What the system must allow, looked at before a run: open files, and ports for connections.

use std::fs;

use anyhow::{Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files of every kind that a process has open beside its sockets.
const BESIDE: u64 = 200;

/// Lets this process and all that it starts have enough files open for so many connections, and says what is too small.
pub(super) fn ensure(connections: u32) -> Result<()> {
    // A proxy has a socket on either side of a request.
    let need = u64::from(connections) * 2 + BESIDE;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < need) {
        let raised = Rlimit { current: Some(need), maximum: limit.maximum };
        let allowed = limit.maximum.is_none_or(|maximum| maximum >= need);
        if !allowed || setrlimit(Resource::Nofile, raised).is_err() {
            bail!(
                "{connections} connections need {need} open files a process, and this system allows {}: raise the hard limit \
                 (`ulimit -Hn`, or LimitNOFILE and limits.conf), or run with a smaller --scale",
                limit.maximum.unwrap_or(need)
            );
        }
    }
    if let Some(ports) = ports().filter(|ports| *ports < u64::from(connections) * 2) {
        bail!(
            "{connections} connections to the edge and as many behind it need {} ports, and this system hands out {ports}: widen \
             net.ipv4.ip_local_port_range, or run with a smaller --scale",
            u64::from(connections) * 2
        );
    }
    Ok(())
}

/// How many ports outgoing connections may take, where that can be read.
fn ports() -> Option<u64> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (least, most) = (ends.next()?.ok()?, ends.next()?.ok()?);
    most.checked_sub(least).map(|between| between + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_said() {
        assert!(ensure(10).is_ok());
        let message = ensure(u32::MAX).unwrap_err().to_string();
        assert!(message.contains("4294967295 connections") && message.contains("--scale"), "{message}");
    }
}
