//! The storefront: HTML from the server, complete without JavaScript.

pub(crate) mod checkout;
pub(crate) mod error;
pub(crate) mod film;
mod format;
pub(crate) mod home;
mod layout;
pub(crate) mod order;
pub(crate) mod problems;
pub(crate) mod screening;

use layout::Layout;
