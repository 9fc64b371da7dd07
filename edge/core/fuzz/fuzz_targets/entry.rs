#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| levee_edge_fuzz::entry::check(data));
