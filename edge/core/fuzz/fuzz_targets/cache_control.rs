#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| levee_edge_fuzz::cache_control::check(data));
