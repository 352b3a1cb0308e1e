//! Notices that the clock of the machine was set, or that the machine was suspended.

use std::{io, os::fd::AsFd, sync::Arc};

use jiff::Timestamp;
use rustix::{
    io::Errno,
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec},
};
use tokio::net::unix::pipe::Receiver;

use crate::hub::Hub;

/// A timer for a time that never comes: the kernel cancels it when the clock is set.
fn timer() -> io::Result<Receiver> {
    let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
    let timer = rustix::time::timerfd_create(TimerfdClockId::Realtime, flags)?;
    arm(&timer)?;
    // It reads like a pipe.
    Receiver::from_owned_fd_unchecked(timer)
}

fn arm(timer: &impl AsFd) -> io::Result<()> {
    let never = Timespec { tv_sec: 9_000_000_000, tv_nsec: 0 };
    let none = Timespec { tv_sec: 0, tv_nsec: 0 };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    rustix::time::timerfd_settime(timer, flags, &Itimerspec { it_interval: none, it_value: never })?;
    Ok(())
}

/// Lets a hub follow the clock, until it is dropped.
pub async fn follow(hub: Arc<Hub>) -> io::Result<()> {
    let timer = timer()?;
    loop {
        timer.readable().await?;
        let read = timer.try_read(&mut [0; 8]);
        if read.is_err_and(|error| error.raw_os_error() == Some(Errno::CANCELED.raw_os_error())) {
            arm(&timer)?;
            hub.follow_clock(Timestamp::now());
        }
    }
}
