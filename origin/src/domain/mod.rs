//! What a box office speaks of: halls and seats, money, times, orders.

mod hall;
mod money;
mod order;
mod programme;

pub(crate) use hall::{Hall, MOST_COLUMNS, MOST_ROWS, Seat};
pub(crate) use money::Money;
pub(crate) use order::{Buyer, LONGEST_TEXT, MOST_SEATS, OrderRequest, seat_list};
pub(crate) use programme::{Slot, local_time, over_before};
