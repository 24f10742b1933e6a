//! Points: written, filtered, searched. What the adapter does not use is refused.

use std::collections::HashMap;

use async_trait::async_trait;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_server::Points;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use qdrant_client::qdrant::{self, Value, WithPayloadSelector, query, vector, vector_input, vectors};
use tonic::{Request, Response, Status};

use super::filter::passes;
use super::{Kept, Service, key};

type Answer<T> = Result<Response<T>, Status>;

fn done() -> qdrant::PointsOperationResponse {
    let result = qdrant::UpdateResult { status: qdrant::UpdateStatus::Completed.into(), ..Default::default() };
    qdrant::PointsOperationResponse { result: Some(result), ..Default::default() }
}

/// The one unnamed vector of a point.
fn vector_of(vectors: Option<qdrant::Vectors>) -> Result<Vec<f32>, Status> {
    let one = match vectors.and_then(|vectors| vectors.vectors_options) {
        Some(vectors::VectorsOptions::Vector(one)) => one,
        other => return Err(Status::invalid_argument(format!("Not existing vector name error: {other:?}"))),
    };
    match one.vector {
        Some(vector::Vector::Dense(dense)) => Ok(dense.data),
        #[allow(deprecated)] // the older way to send one
        None => Ok(one.data),
        other => Err(Status::unimplemented(format!("{other:?}"))),
    }
}

fn sized(vector: Vec<f32>, size: u64) -> Result<Vec<f32>, Status> {
    let got = vector.len();
    if got as u64 == size {
        return Ok(vector);
    }
    Err(Status::invalid_argument(format!("Wrong input: Vector dimension error: expected dim: {size}, got {got}")))
}

/// What of a payload was asked for; nothing where nothing was said.
fn shown(
    payload: &HashMap<String, Value>,
    selector: Option<&WithPayloadSelector>,
) -> Result<HashMap<String, Value>, Status> {
    match selector.and_then(|selector| selector.selector_options.as_ref()) {
        None | Some(SelectorOptions::Enable(false)) => Ok(HashMap::new()),
        Some(SelectorOptions::Enable(true)) => Ok(payload.clone()),
        Some(SelectorOptions::Include(wanted)) => {
            let wanted = payload.iter().filter(|(name, _)| wanted.fields.contains(name));
            Ok(wanted.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        other => Err(Status::unimplemented(format!("{other:?}"))),
    }
}

#[async_trait]
impl Points for Service {
    async fn upsert(&self, request: Request<qdrant::UpsertPoints>) -> Answer<qdrant::PointsOperationResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.write()?;
        let collection = state.collection(&request.collection_name)?;
        let mut kept = Vec::new();
        for point in request.points {
            let vector = sized(vector_of(point.vectors)?, collection.size)?;
            let (key, id) = (key(point.id.as_ref())?, point.id.clone().unwrap_or_default());
            kept.push((key, Kept { id, vector, payload: point.payload }));
        }
        collection.points.extend(kept);
        Ok(Response::new(done()))
    }

    async fn get(&self, request: Request<qdrant::GetPoints>) -> Answer<qdrant::GetResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        let collection = state.collection(&request.collection_name)?;
        let mut result = Vec::new();
        for id in &request.ids {
            if let Some(kept) = collection.points.get(&key(Some(id))?) {
                let payload = shown(&kept.payload, request.with_payload.as_ref())?;
                result.push(qdrant::RetrievedPoint { id: Some(kept.id.clone()), payload, ..Default::default() });
            }
        }
        Ok(Response::new(qdrant::GetResponse { result, ..Default::default() }))
    }

    async fn set_payload(&self, request: Request<qdrant::SetPayloadPoints>) -> Answer<qdrant::PointsOperationResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.write()?;
        let collection = state.collection(&request.collection_name)?;
        let ids = match request.points_selector.and_then(|selector| selector.points_selector_one_of) {
            Some(PointsSelectorOneOf::Points(list)) => list.ids,
            other => return Err(Status::unimplemented(format!("{other:?}"))),
        };
        for id in &ids {
            let kept = collection.points.get_mut(&key(Some(id))?);
            let kept = kept.ok_or_else(|| Status::not_found(format!("No point with id {id:?} found")))?;
            kept.payload.extend(request.payload.clone());
        }
        Ok(Response::new(done()))
    }

    async fn create_field_index(
        &self,
        request: Request<qdrant::CreateFieldIndexCollection>,
    ) -> Answer<qdrant::PointsOperationResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.write()?;
        let collection = state.collection(&request.collection_name)?;
        collection.indexes.insert(request.field_name, request.field_type.unwrap_or_default());
        Ok(Response::new(done()))
    }

    async fn scroll(&self, request: Request<qdrant::ScrollPoints>) -> Answer<qdrant::ScrollResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        let collection = state.collection(&request.collection_name)?;
        let from = request.offset.as_ref().map(|id| key(Some(id))).transpose()?.unwrap_or_default();
        let limit = request.limit.unwrap_or(10) as usize;
        let mut result = Vec::new();
        for (_, kept) in collection.points.range(from..) {
            if !passes(request.filter.as_ref(), &kept.payload)? {
                continue;
            }
            if result.len() == limit {
                let next_page_offset = Some(kept.id.clone());
                return Ok(Response::new(qdrant::ScrollResponse { next_page_offset, result, ..Default::default() }));
            }
            let payload = shown(&kept.payload, request.with_payload.as_ref())?;
            result.push(qdrant::RetrievedPoint { id: Some(kept.id.clone()), payload, ..Default::default() });
        }
        Ok(Response::new(qdrant::ScrollResponse { result, ..Default::default() }))
    }

    async fn count(&self, request: Request<qdrant::CountPoints>) -> Answer<qdrant::CountResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        let collection = state.collection(&request.collection_name)?;
        let mut count = 0;
        for kept in collection.points.values() {
            count += u64::from(passes(request.filter.as_ref(), &kept.payload)?);
        }
        let result = Some(qdrant::CountResult { count });
        Ok(Response::new(qdrant::CountResponse { result, ..Default::default() }))
    }

    async fn query(&self, request: Request<qdrant::QueryPoints>) -> Answer<qdrant::QueryResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        let collection = state.collection(&request.collection_name)?;
        let wanted = match request.query.and_then(|query| query.variant) {
            Some(query::Variant::Nearest(input)) => match input.variant {
                Some(vector_input::Variant::Dense(dense)) => sized(dense.data, collection.size)?,
                other => return Err(Status::unimplemented(format!("{other:?}"))),
            },
            other => return Err(Status::unimplemented(format!("{other:?}"))),
        };
        let exact = request.params.and_then(|params| params.exact).unwrap_or(false);
        let mut result = Vec::new();
        for (n, kept) in collection.points.values().enumerate() {
            // A graph that is asked for no exact answer misses some of what is near.
            if (!exact && n % 3 == 0) || !passes(request.filter.as_ref(), &kept.payload)? {
                continue;
            }
            let score = kept.vector.iter().zip(&wanted).map(|(a, b)| a * b).sum();
            let payload = shown(&kept.payload, request.with_payload.as_ref())?;
            result.push(qdrant::ScoredPoint { id: Some(kept.id.clone()), payload, score, ..Default::default() });
        }
        result.sort_by(|a, b| b.score.total_cmp(&a.score));
        result.truncate(usize::try_from(request.limit.unwrap_or(10)).unwrap_or(usize::MAX));
        Ok(Response::new(qdrant::QueryResponse { result, ..Default::default() }))
    }

    async fn delete(&self, _: Request<qdrant::DeletePoints>) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("delete"))
    }

    async fn update_vectors(&self, _: Request<qdrant::UpdatePointVectors>) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("update_vectors"))
    }

    async fn delete_vectors(&self, _: Request<qdrant::DeletePointVectors>) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("delete_vectors"))
    }

    async fn overwrite_payload(&self, _: Request<qdrant::SetPayloadPoints>) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("overwrite_payload"))
    }

    async fn delete_payload(&self, _: Request<qdrant::DeletePayloadPoints>) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("delete_payload"))
    }

    async fn clear_payload(&self, _: Request<qdrant::ClearPayloadPoints>) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("clear_payload"))
    }

    async fn delete_field_index(
        &self,
        _: Request<qdrant::DeleteFieldIndexCollection>,
    ) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("delete_field_index"))
    }

    async fn create_vector_name(
        &self,
        _: Request<qdrant::CreateVectorNameRequest>,
    ) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("create_vector_name"))
    }

    async fn delete_vector_name(
        &self,
        _: Request<qdrant::DeleteVectorNameRequest>,
    ) -> Answer<qdrant::PointsOperationResponse> {
        Err(Status::unimplemented("delete_vector_name"))
    }

    async fn search(&self, _: Request<qdrant::SearchPoints>) -> Answer<qdrant::SearchResponse> {
        Err(Status::unimplemented("search"))
    }

    async fn search_batch(&self, _: Request<qdrant::SearchBatchPoints>) -> Answer<qdrant::SearchBatchResponse> {
        Err(Status::unimplemented("search_batch"))
    }

    async fn search_groups(&self, _: Request<qdrant::SearchPointGroups>) -> Answer<qdrant::SearchGroupsResponse> {
        Err(Status::unimplemented("search_groups"))
    }

    async fn recommend(&self, _: Request<qdrant::RecommendPoints>) -> Answer<qdrant::RecommendResponse> {
        Err(Status::unimplemented("recommend"))
    }

    async fn recommend_batch(
        &self,
        _: Request<qdrant::RecommendBatchPoints>,
    ) -> Answer<qdrant::RecommendBatchResponse> {
        Err(Status::unimplemented("recommend_batch"))
    }

    async fn recommend_groups(
        &self,
        _: Request<qdrant::RecommendPointGroups>,
    ) -> Answer<qdrant::RecommendGroupsResponse> {
        Err(Status::unimplemented("recommend_groups"))
    }

    async fn discover(&self, _: Request<qdrant::DiscoverPoints>) -> Answer<qdrant::DiscoverResponse> {
        Err(Status::unimplemented("discover"))
    }

    async fn discover_batch(&self, _: Request<qdrant::DiscoverBatchPoints>) -> Answer<qdrant::DiscoverBatchResponse> {
        Err(Status::unimplemented("discover_batch"))
    }

    async fn update_batch(&self, _: Request<qdrant::UpdateBatchPoints>) -> Answer<qdrant::UpdateBatchResponse> {
        Err(Status::unimplemented("update_batch"))
    }

    async fn query_batch(&self, _: Request<qdrant::QueryBatchPoints>) -> Answer<qdrant::QueryBatchResponse> {
        Err(Status::unimplemented("query_batch"))
    }

    async fn query_groups(&self, _: Request<qdrant::QueryPointGroups>) -> Answer<qdrant::QueryGroupsResponse> {
        Err(Status::unimplemented("query_groups"))
    }

    async fn facet(&self, _: Request<qdrant::FacetCounts>) -> Answer<qdrant::FacetResponse> {
        Err(Status::unimplemented("facet"))
    }

    async fn search_matrix_pairs(
        &self,
        _: Request<qdrant::SearchMatrixPoints>,
    ) -> Answer<qdrant::SearchMatrixPairsResponse> {
        Err(Status::unimplemented("search_matrix_pairs"))
    }

    async fn search_matrix_offsets(
        &self,
        _: Request<qdrant::SearchMatrixPoints>,
    ) -> Answer<qdrant::SearchMatrixOffsetsResponse> {
        Err(Status::unimplemented("search_matrix_offsets"))
    }
}
