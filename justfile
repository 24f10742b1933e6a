# Each recipe is one command that can be typed without `just`; `cargo xtask help` lists the tasks.

# List the recipes.
default:
    @just --list

# Format all code.
fmt:
    cargo fmt --all

# Lint all code; a warning is an error.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Run all tests; what they need is downloaded meanwhile.
test:
    cargo xtask test

# Run the tests whose name contains NAME.
one NAME:
    cargo xtask test {{NAME}}

# Play a recorded incident through the real HTTP endpoint, then serve its web pages.
demo:
    cargo xtask demo

# Measure the ledger and the telemetry store against plain files.
bench:
    cargo xtask bench

# Run the long proofs as a whole: a hundred kills of each kind, both language models.
prove:
    cargo xtask prove

# Run what continuous integration runs, from formatting to the last test.
ci:
    cargo xtask ci

# Build the reference of the code.
docs:
    cargo doc --workspace --no-deps --locked
