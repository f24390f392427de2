//! The `restage` program; everything it does is in the library.

// Two threads that read shell scripts ask for small pieces of memory all the time; the system's own allocator takes a fifth of a run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    restage::cli::main()
}
