//! The engine as its owner holds it: commands in, events and frames out, all threads ended when it is dropped.

use std::{io, path::PathBuf, sync::Arc, thread};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::{
    driver::Driver,
    frame::Frame,
    protocol::{Command, EngineEvent},
    session::Session,
};

/// Commands that can wait; a window that sends faster is told so.
const COMMANDS: usize = 256;
/// Lifecycle events that can wait before the supervisor waits for the window. They are few.
const EVENTS: usize = 65_536;
/// What the engine needs from its owner.
pub struct EngineOptions {
    /// Directory of the window's runs; `None` keeps everything in memory.
    pub runs: Option<PathBuf>,
    /// How workers are run.
    pub driver: Driver,
    /// Called, from any thread, when there is something new to draw.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// The engine's handle: dropped, it ends all threads.
#[derive(Debug)]
pub struct Engine {
    commands: Sender<Command>,
    /// Gone first when the engine ends, so that nothing waits for a listener that has left.
    events: Option<Receiver<EngineEvent>>,
    frames: Receiver<Arc<Frame>>,
    handle: Option<thread::JoinHandle<()>>,
}

impl Engine {
    /// Starts the supervisor on a thread of its own.
    pub fn start(options: EngineOptions) -> io::Result<Engine> {
        let (commands, inbox) = bounded(COMMANDS);
        let (outbox, events) = bounded(EVENTS);
        let (frame_out, frames) = bounded(1);
        let stale = frames.clone();
        let handle = thread::Builder::new().name("supervisor".to_owned()).spawn(move || {
            Session::new(options, outbox, frame_out, stale).run(&inbox);
        })?;
        Ok(Engine { commands, events: Some(events), frames, handle: Some(handle) })
    }

    /// Hands a command over without waiting.
    ///
    /// # Errors
    /// When too many wait already, or the supervisor is gone; the text is for a person.
    pub fn send(&self, command: Command) -> Result<(), &'static str> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => "the engine is busy; try again",
            TrySendError::Disconnected(_) => "the engine has stopped; please start the program again",
        })
    }

    /// The next event, if there is one.
    pub fn next_event(&self) -> Option<EngineEvent> {
        self.events.as_ref().and_then(|events| events.try_recv().ok())
    }

    /// The newest frame, if there is a new one.
    pub fn newest_frame(&self) -> Option<Arc<Frame>> {
        self.frames.try_recv().ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.events.take();
        // A full queue cannot last: the supervisor takes commands between slices of work.
        let _gone = self.commands.send(Command::Shutdown);
        if let Some(handle) = self.handle.take() {
            let _panicked = handle.join();
        }
    }
}
