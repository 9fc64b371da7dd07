//! `docs/recipes`: what stands on each page, and what the edge does under it.

mod applications;
mod frameworks;
mod pages;
mod play;
mod text;
