"""What a model hears in a whole sound."""

from app.frame.caches import cached
from app.frame.sounds import Sound
from core.audio import Audio
from core.frontends.frontend import Matrix, Spectrogram, frontend
from core.inference import Prediction, recognise
from core.models.store import TrainedModel, load_model


def model(name: str) -> TrainedModel:
    """The model of this name, loaded once for all sessions."""
    return load_model(name)


@cached("spectrograms", key=lambda sound, model_name: (sound.key, model(model_name).card.frontend))
def spectrogram(sound: Sound, model_name: str) -> Spectrogram:
    """The whole sound as the model's frontend sees it."""
    return analysed(model_name, sound)


def analysed(model_name: str, audio: Audio) -> Spectrogram:
    """A sound as the model's frontend sees it, with its picture and features, so that a cache knows how large it is."""
    found = model(model_name).frontend.analyse(audio)
    _ = found.logmel, found.features
    return found


@cached("predictions", "Listening …")
def prediction(sound: Sound, model_name: str) -> Prediction:
    """What the model hears in the sound."""
    return recognise(model(model_name), spectrogram(sound, model_name))


def on_screen(values: Matrix, sound: Spectrogram) -> Matrix:
    """The frames ``(bands, frames)`` that lie within a sound, without those that reach over its ends."""
    hop, first = sound.config.hop, -frontend(sound.config).first_frame
    return values[:, first : first + max(1, round(len(sound.samples) / hop))]
