//! What the database is filled with on the first start: the same for everybody, from one fixed seed.

mod catalogue;
mod cinemas;
mod dice;
mod load;
mod programme;

pub(crate) use load::load;
