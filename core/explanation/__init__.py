"""Why a network said what it said: relevance over the spectrogram, and the inner concepts that carried it."""
