//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors beside those of clients: connections to origins, the store, the system's own.
const OTHERS: u64 = 512;

/// Takes as many descriptors as the system allows, and says where `connections` clients do not fit.
///
/// The usual soft limit is 1024, for the sake of programs that use `select`; this one does not.
pub(crate) fn raise(connections: u32) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // macOS says that there is no limit and takes no more than this.
    let tries = [maximum, maximum.map_or(Some(10_240), |most| Some(most.min(10_240)))];
    let raised = tries
        .into_iter()
        .find(|most| setrlimit(Resource::Nofile, Rlimit { current: *most, maximum }).is_ok());
    let most = raised.unwrap_or(current);
    if let Some(most) = too_few(most, connections) {
        tracing::warn!(
            descriptors = most,
            connections,
            "limits.connections and the connections to origins do not fit into the limit on open files: raise it \
             (ulimit -n, LimitNOFILE), or lower limits.connections"
        );
    }
}

/// The limit, where it is too low. `None` of it is none.
fn too_few(most: Option<u64>, connections: u32) -> Option<u64> {
    most.filter(|most| *most < u64::from(connections) + OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_must_fit() {
        assert_eq!(too_few(Some(1024), 4096), Some(1024));
        assert_eq!(too_few(Some(1024), 512), None);
        assert_eq!(too_few(None, u32::MAX), None);
    }
}
