"""What admins say about media: which files come, and which to list."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import MediaKind

MOST_AT_ONCE = 100
ACCEPTED = "image/png,image/jpeg,image/webp,image/gif,image/avif,audio/*,video/mp4,video/webm,.vtt,.zip"


class SeveralFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[Any]]":
        given = data if isinstance(data, list | tuple) and data else [data or None]
        if len(given) > MOST_AT_ONCE:
            raise forms.ValidationError(_("More than %(most)d files at once: send a ZIP.") % {"most": MOST_AT_ONCE})
        files = [super(SeveralFilesField, self).clean(each, initial) for each in given]
        if sum(file.size or 0 for file in files) > settings.MEDIA_UPLOAD_MAX_MB * 1_000_000:
            raise forms.ValidationError(_("More than %(most)d MB at once.") % {"most": settings.MEDIA_UPLOAD_MAX_MB})
        return files


class MediaForm(forms.Form):
    file = SeveralFilesField(
        label=gettext_lazy("Files"),
        allow_empty_file=True,
        max_length=1000,
        widget=SeveralFilesInput(attrs={"accept": ACCEPTED}),
        help_text=gettext_lazy(
            "PNG, JPEG, WebP, GIF or AVIF; WAV, MP3, FLAC, Ogg or M4A; MP4 or WebM; or a ZIP of them. Captions of a"
            " film are WebVTT under its name: clip.vtt for clip.mp4. All of them are taken, or none."
        ),
    )


class MediaFilterForm(forms.Form):
    """What cannot be meant is left out rather than refused."""

    q = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=200)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[("", gettext_lazy("Any")), *MediaKind.choices]
    )

    @property
    def chosen(self) -> dict[str, str]:
        cleaned = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        return {"text": cleaned.get("q", ""), "kind": cleaned.get("kind", "")}
