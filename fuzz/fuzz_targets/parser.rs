#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| restage_fuzz::parser(bytes));
