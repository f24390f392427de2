//! The `restage` program; everything it does is in the library.

fn main() -> std::process::ExitCode {
    restage::cli::main()
}
