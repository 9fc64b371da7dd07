from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import cache_control, cache_page

from .models import Film, Note


class NoteForm(forms.ModelForm):
    class Meta:
        model = Note
        fields = ["text"]


def home(request):
    """Reads the session, as a page with a basket does; so it says `Vary: Cookie`."""
    basket = request.session.get("basket", 0)
    response = render(request, "shop/home.html", {"films": Film.objects.all(), "basket": basket})
    response["Cache-Control"] = "max-age=600"
    return response


@cache_control(public=True, max_age=600)
def public(request):
    return render(request, "shop/public.html", {"films": Film.objects.all()})


@cache_page(600)
def film(request, number):
    return render(request, "shop/film.html", {"film": get_object_or_404(Film, pk=number)})


@cache_control(max_age=600)
def languages(request):
    """The middleware adds `Vary: Accept-Language` and `Content-Language`."""
    return HttpResponse(f"{get_language()}: {gettext('Password')}")


def note(request):
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"Noted: {form.cleaned_data['text']}")
        return redirect("/note/")
    return render(request, "shop/note.html", {"form": form, "notes": Note.objects.order_by("-pk")[:1]})


def basket(request):
    request.session["basket"] = request.session.get("basket", 0) + 1
    return redirect(request.build_absolute_uri("/"))
