from django.contrib import admin
from django.urls import path

from shop import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", views.home),
    path("public/", views.public),
    path("languages/", views.languages),
    path("film/<int:number>/", views.film),
    path("note/", views.note),
    path("basket/", views.basket),
]
