use super::Failure;
/// Arguments of `hive bench`.
#[derive(Debug, clap::Parser)]
pub struct Args {}
pub fn run(_args: &Args) -> Result<(), Failure> {
    Ok(())
}
