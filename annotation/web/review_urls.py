from django.urls import path

from annotation.web import adjudication, batches, flags, items, own_answers, reviews

urlpatterns = [
    path("review", reviews.campaigns, name="review"),
    path("campaigns/<slug:slug>/review", reviews.queue, name="review-queue"),
    path("campaigns/<slug:slug>/review/flags", flags.open_flags, name="review-flags"),
    path("campaigns/<slug:slug>/review/<int:judgment_id>", reviews.review, name="review-judgment"),
    path("campaigns/<slug:slug>/review/<int:judgment_id>/decide", reviews.decide, name="review-decide"),
    path("campaigns/<slug:slug>/review/<int:judgment_id>/others", reviews.others, name="review-others"),
    path("campaigns/<slug:slug>/review/<int:judgment_id>/comment", reviews.comment, name="review-comment"),
    path("campaigns/<slug:slug>/review/<int:judgment_id>/ask", reviews.ask, name="review-ask"),
    path("campaigns/<slug:slug>/items/<int:item_id>/comment", items.comment, name="campaign-item-comment"),
    path("campaigns/<slug:slug>/items/<int:item_id>/flags", flags.flags, name="item-flags"),
    path("campaigns/<slug:slug>/adjudicate/<int:item_id>", adjudication.adjudicate, name="adjudicate"),
    path("campaigns/<slug:slug>/adjudicate/<int:item_id>/start", adjudication.start, name="adjudicate-start"),
    path("campaigns/<slug:slug>/adjudicate/<int:item_id>/leave", adjudication.leave, name="adjudicate-leave"),
    path("campaigns/<slug:slug>/batches", batches.batches, name="batches"),
    path("campaigns/<slug:slug>/batches/new", batches.make, name="batch-new"),
    path("campaigns/<slug:slug>/batches/<int:number>", batches.batch, name="batch"),
    path("campaigns/<slug:slug>/batches/<int:number>/accept", batches.accept, name="batch-accept"),
    path("campaigns/<slug:slug>/batches/<int:number>/return", batches.send_back, name="batch-return"),
    path("annotate/<slug:slug>/history/<int:judgment_id>/appeal", own_answers.appeal, name="work-appeal"),
]
