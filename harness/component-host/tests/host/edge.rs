//! The edge as a component, before an origin that does what none should: what holds whatever clients and origins send.

mod framing;
mod heads;
mod slow;

use levee_harness::Process;

use crate::guest::start;
use crate::scripted::Scripted;

/// The edge before this origin; `environment`: what the guest reads of it.
fn edge(origin: &Scripted, environment: &str) -> Process {
    let url = &origin.url;
    let component = format!(
        "allowed_outbound_hosts = [\"{url}\"]\nenvironment = {{ {environment} }}\n[component.guest.variables]\n\
         levee_origin_o0_url = \"{url}\"\n"
    );
    // One instance for a whole test: what one request has stored the next finds.
    start("levee-guest-edge", &component, |host| {
        host.with(|spec| spec.args(["--idle-instance-timeout", "1h"]))
    })
}

/// A response of an origin that may be stored.
fn cacheable(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n{fields}\r\n{body}")
}
