# Each recipe is one command that can be typed without `just`.

# List the recipes.
default:
    @just --list

# Format all code.
fmt:
    cargo fmt --all

# Lint all code; a warning is an error.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Run all tests; the last line says how many passed.
test:
    cargo xtask test

# Run the tests of the workspace whose name contains NAME.
one NAME:
    cargo test --workspace --locked -- {{NAME}}

# Play a recorded incident through the real HTTP endpoint, then serve its web pages.
demo:
    cargo run --release --locked -- up --demo

# Measure the ledger and the telemetry store against plain files.
bench:
    cargo bench -p hindcast-ledger-embedded -p hindcast-telemetry-files

# Kill the server a hundred times around sending and around the ledger, ask both language models, and print what was lost.
prove:
    cargo xtask prove

# Run what continuous integration runs, from formatting to the last test.
ci:
    .ci/run

# Build the reference of the code.
docs:
    cargo doc --workspace --no-deps --locked
