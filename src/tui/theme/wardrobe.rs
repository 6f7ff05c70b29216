//! Where themes are found: those that are built in, a person's own in `themes/` beside their settings, and a file
//! that is named by its path. One that comes from a file is read again when the file changes.

use super::{SHIPPED, Theme, ThemeError, built_in};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Bytes of a theme's file: a hundred times what one has.
const BYTES_MAX: u64 = 256 << 10;

/// All themes that can be worn.
#[derive(Clone, Debug, Default)]
pub struct Wardrobe {
    /// The person's own.
    pub folder: Option<PathBuf>,
    /// Whether there are colours.
    pub colours: bool,
    /// The file of the theme that is worn, and when it was last changed.
    watched: Option<(PathBuf, Option<SystemTime>)>,
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

impl Wardrobe {
    /// With a person's own, if there is such a folder.
    pub fn new(folder: Option<PathBuf>, colours: bool) -> Self {
        Wardrobe { folder, colours, watched: None }
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') || Path::new(name).extension().is_some_and(|e| e == "toml") {
            return Some(PathBuf::from(name));
        }
        let own = self.folder.as_ref()?.join(format!("{name}.toml"));
        own.is_file().then_some(own)
    }

    /// Names of all, a person's own last.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = SHIPPED.iter().map(|(n, _)| (*n).to_owned()).collect();
        let entries = self.folder.as_ref().and_then(|f| std::fs::read_dir(f).ok());
        let mut own: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(|e| e.ok()?.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
            .filter(|n| !names.contains(n))
            .collect();
        own.sort();
        names.extend(own);
        names
    }

    /// A theme by its name or its path; its file is watched from here on.
    pub fn apply(&mut self, name: &str) -> Result<Theme, ThemeError> {
        let file = self.file(name);
        let theme = match &file {
            Some(path) => self.read(path)?,
            None => Theme::shipped(name, self.colours)?,
        };
        self.watched = file.map(|path| {
            let at = changed(&path);
            (path, at)
        });
        Ok(theme)
    }

    fn read(&self, path: &Path) -> Result<Theme, ThemeError> {
        let bad = |why: String| ThemeError::Unreadable { name: path.display().to_string(), why };
        let size = std::fs::metadata(path)
            .map_err(|e| bad(format!("{e}; there are {}", self.names().join(", "))))?
            .len();
        if size > BYTES_MAX {
            return Err(bad(format!("{size} bytes are no theme; at most {BYTES_MAX}")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
        let beside = |name: &str| {
            let own = path.parent().map(|p| p.join(format!("{name}.toml"))).filter(|p| p != path);
            own.and_then(|p| std::fs::read_to_string(p).ok()).or_else(|| built_in(name))
        };
        Theme::read(&text, self.colours, &beside).map_err(|e| match e {
            ThemeError::Unreadable { why, .. } => bad(why),
            other @ ThemeError::Unknown { .. } => other,
        })
    }

    /// The theme anew if its file has changed; or why it cannot be read.
    pub fn reload(&mut self) -> Option<Result<Theme, ThemeError>> {
        let (path, before) = self.watched.as_ref()?;
        let now = changed(path);
        // A file that is just being written anew is not there for a moment.
        if now.is_none() || now == *before {
            return None;
        }
        let path = path.clone();
        let theme = self.read(&path);
        self.watched = Some((path, now));
        Some(theme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::StyleRole;
    use std::time::Duration;

    #[test]
    fn a_theme_of_ones_own_is_found_inherits_and_follows_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let text = |good: &str| {
            format!("name = \"mine\"\ninherits = \"gruvbox\"\n[roles]\ngood = \"{good} on night\"\n")
        };
        std::fs::write(&path, text("sky")).unwrap();
        let mut all = Wardrobe::new(Some(folder.path().to_path_buf()), true);
        assert!(all.names().contains(&"mine".to_owned()) && all.names().contains(&"solarized".to_owned()));
        let first = all.apply("mine").unwrap();
        assert!(all.reload().is_none(), "nothing has changed");
        let later = SystemTime::now() + Duration::from_secs(5);
        let write = |good: &str, at: SystemTime| {
            std::fs::write(&path, text(good)).unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        };
        write("leaf", later);
        let second = all.reload().unwrap().unwrap();
        assert_ne!(first.of(StyleRole::Good), second.of(StyleRole::Good));
        write("mauve-ish", later + Duration::from_secs(5));
        let told = all.reload().unwrap().unwrap_err().to_string();
        assert!(told.contains("mine.toml") && told.contains("mauve-ish"), "{told}");
        assert!(all.reload().is_none(), "it is told once");
        let mut none = Wardrobe::new(None, true);
        assert!(none.apply("mine").unwrap_err().to_string().contains("there are terminal"));
        assert!(none.apply("nowhere/x.toml").unwrap_err().to_string().contains("nowhere/x.toml"));
    }
}
