//! The `standin` program. Everything is in the library.

use std::process::ExitCode;

/// Answers are made on one thread and freed, when the journal drops them, on another: the system's allocator makes
/// threads wait for each other then. It asks for no huge pages: those are resident as a whole as soon as anything is in them, which
/// makes a server that does nothing half as large again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    standin::main()
}
