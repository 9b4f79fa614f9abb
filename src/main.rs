//! The binary: the allocator, the crypto provider, and the command line.

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    // The only provider in the tree; installed before anything can ask for one. Twice would be harmless.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    rookery::cli::run()
}
