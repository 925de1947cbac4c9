//! The registry as its clients see it, over loopback. One program, so that it links once; `cfg(test)`, so that
//! helpers may unwrap like the tests they serve.

#[cfg(test)]
mod attestation;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod direct;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod honest;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod program;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod support;
#[cfg(test)]
mod surface;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod vectors;
