//! Step 6: concurrent misses of one key become one request to the origin.

mod flights;
mod marks;

pub use flights::{Entered, Failure, Flights, Landing, Obligation, Waiting};
pub use marks::Marks;
