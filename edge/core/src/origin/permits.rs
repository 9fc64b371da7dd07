//! How many requests are under way to one origin, and how many of them one client may have.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The requests under way to one origin.
#[derive(Debug, Default)]
pub(crate) struct Permits(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    all: u32,
    uploads: u32,
    /// Of each client that has any.
    of: HashMap<Client, u32>,
}

/// Why a request has to do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many are under way as are allowed.
    Full,
    /// This client has its share.
    Share,
}

/// A client as one that shares permits with others: an IPv4 address, or a network of 64 bits, which is what one customer of an
/// IPv6 provider has. `None`: the platform does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Client(Option<u128>);

impl Client {
    fn of(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits() >> 64 << 64,
        }))
    }
}

/// A request that may be under way, until its response's head is there.
#[derive(Debug)]
#[must_use = "dropping it gives the place back"]
pub(crate) struct Permit<'a> {
    permits: &'a Permits,
    client: Client,
    upload: bool,
}

impl Permits {
    /// Leave to send one more request, where fewer than `most` are under way; given back when it is dropped.
    ///
    /// The last quarter of the places is for clients that hold less than a quarter. An upload that goes on while the client
    /// sends it (`upload`) takes none of the second half: how long that lasts is the client's to say.
    pub(crate) fn take(
        &self,
        most: u32,
        client: Option<IpAddr>,
        upload: bool,
    ) -> Result<Permit<'_>, Refused> {
        let client = Client::of(client);
        let share = (most / 4).max(1);
        let mut held = self.lock();
        if held.all >= most || (upload && held.uploads >= (most / 2).max(1)) {
            return Err(Refused::Full);
        }
        let own = held.of.get(&client).copied().unwrap_or(0);
        if held.all >= most - most / 4 && own >= share {
            return Err(Refused::Share);
        }
        held.all += 1;
        held.uploads += u32::from(upload);
        held.of.insert(client, own + 1);
        Ok(Permit { permits: self, client, upload })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests under way.
    pub(crate) fn held(&self) -> u32 {
        self.lock().all
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut held = self.permits.lock();
        held.all = held.all.saturating_sub(1);
        held.uploads = held.uploads.saturating_sub(u32::from(self.upload));
        match held.of.get_mut(&self.client) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                held.of.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn permits_are_given_back() {
        let permits = Permits::default();
        let one = permits.take(1, None, false);
        assert!(one.is_ok());
        assert_eq!(permits.take(1, ip("192.0.2.1"), false).err(), Some(Refused::Full));
        drop(one);
        assert!(permits.take(1, None, false).is_ok());
        assert_eq!(permits.held(), 0);
        assert!(permits.lock().of.is_empty(), "nothing is kept of clients that have none");
    }

    #[test]
    fn one_client_leaves_a_quarter_to_others() {
        let permits = Permits::default();
        let greedy: Vec<_> = (0..64).map_while(|_| permits.take(64, ip("192.0.2.1"), false).ok()).collect();
        assert_eq!(greedy.len(), 48);
        assert_eq!(permits.take(64, ip("192.0.2.1"), false).err(), Some(Refused::Share));
        let others: Vec<_> = (0..64).map_while(|_| permits.take(64, ip("192.0.2.2"), false).ok()).collect();
        assert_eq!(others.len(), 16);
        assert_eq!(permits.take(64, ip("192.0.2.3"), false).err(), Some(Refused::Full));
    }

    #[test]
    fn alone_and_few_a_client_may_have_them_all() {
        for most in 1..4 {
            let permits = Permits::default();
            let all: Vec<_> = (0..9).map_while(|_| permits.take(most, None, false).ok()).collect();
            assert_eq!(all.len(), most as usize);
        }
    }

    #[test]
    fn uploads_leave_half_to_what_has_no_body() {
        let permits = Permits::default();
        let uploads: Vec<_> =
            (0..64u8).map_while(|n| permits.take(64, Some([192, 0, 2, n].into()), true).ok()).collect();
        assert_eq!(uploads.len(), 32);
        assert!(permits.take(64, ip("192.0.2.1"), false).is_ok());
    }

    #[test]
    fn an_ipv6_client_is_a_network() {
        assert_eq!(Client::of(ip("2001:db8::1")), Client::of(ip("2001:db8::ffff")));
        assert_ne!(Client::of(ip("2001:db8::1")), Client::of(ip("2001:db8:0:1::1")));
        assert_eq!(Client::of(ip("::ffff:192.0.2.1")), Client::of(ip("192.0.2.1")));
        assert_ne!(Client::of(ip("192.0.2.1")), Client::of(ip("192.0.2.2")));
        assert_ne!(Client::of(None), Client::of(ip("::")));
    }
}
