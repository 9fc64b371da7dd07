//! Step 6: concurrent misses of one key become one request to the origin.

mod flights;
pub(crate) mod lease;
mod marks;
mod pauses;
pub mod redis;
mod sets;

pub use flights::{Entered, Failure, Flights, Landing, Obligation, Waiting};
pub use marks::Marks;
pub use pauses::Pauses;
pub(crate) use sets::{Admission, Sets};
